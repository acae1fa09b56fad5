"""The portal with one more screen, the blank one: `python tests/browser/with_blank.py`, settings as for app.py."""

import os
import runpy
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
os.chdir(HOME)  # Streamlit reads its options when it is imported
sys.path.insert(0, str(HOME))
sys.argv[0] = str(HOME / "app.py")

from ui import navigation  # noqa: E402

blank = navigation.Screen(
    "blank", "../tests/browser/blank.py", "Blank", ":material/check_box_outline_blank:", "Work")
navigation.SCREENS += (blank,)
navigation.BY_NAME[blank.name] = blank
runpy.run_path(sys.argv[0], run_name="__main__")
