import sys

from compshare_images.cli import main

sys.exit(main())
