# SPDX-License-Identifier: GPL-3.0-or-later
"""Where copies go: an ext4 with a journal.

Without a journal ext4 walks around every inode that was deleted in the last minutes, which makes each new file cost
half a millisecond after the first copy was dropped. Where the directory lies on such a filesystem, or on another one
than ext4, root gets an image mounted through a loop device; others get what is there, and are told.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

IMAGE_OCTETS = 24 << 30


def _mount_of(path):
    """Type, device and device number of the filesystem that holds the path."""
    device = os.stat(path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if line.split()[2] == number:
            return [*line.split(" - ")[1].split()[:2], number]
    return ["", "", number]


def is_good(path):
    kind, _, number = _mount_of(path)
    if kind != "ext4":
        return False
    try:
        name = Path(f"/sys/dev/block/{number}").resolve().name
        return any(entry.startswith(f"{name}-") for entry in os.listdir("/proc/fs/jbd2"))
    except OSError:
        return False


def remove_leftovers(directory):
    """What runs left that were killed."""
    for path in Path(directory).iterdir():
        found = re.fullmatch(r"(?:disk|work)-(\d+)(?:\.img)?", path.name)
        if not found or Path(f"/proc/{found[1]}").exists():
            continue
        for mounted in sorted((line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
                               if f"{line.split()[4]}/".startswith(f"{path}/")), key=len, reverse=True):
            subprocess.run(["umount", "-l", mounted], check=False)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


class Disk:
    """`path` is a directory for copies; close() takes away what was made for it."""

    def __init__(self, directory):
        self.image = None
        self.path = Path(directory)
        remove_leftovers(directory)
        if is_good(directory):
            self.kind = "ext4 with a journal"
        elif os.geteuid() == 0 and self._make_image(Path(directory)):
            self.kind = "ext4 with a journal, in an image on a loop device"
        else:
            self.kind = f"{_mount_of(directory)[0]}, which may spoil the figures of everything that writes files"
            print(f"bench: copies go to {self.kind}", file=sys.stderr)

    def _make_image(self, directory):
        image, path = directory / f"disk-{os.getpid()}.img", directory / f"disk-{os.getpid()}"
        path.mkdir()
        try:
            with open(image, "wb") as file:
                file.truncate(IMAGE_OCTETS)
            subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "nodiscard", str(image)], check=True)
            subprocess.run(["mount", "-o", "loop,noinit_itable,noatime", str(image), str(path)], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"bench: no image for copies: {error}", file=sys.stderr)
            image.unlink(missing_ok=True)
            path.rmdir()
            return False
        self.image, self.path = image, path
        return True

    def close(self):
        if self.image is None:
            return
        subprocess.run(["umount", str(self.path)], check=False)
        self.path.rmdir()
        self.image.unlink()
        self.image = None
