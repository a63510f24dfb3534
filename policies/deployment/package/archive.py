"""Tar archives that come out the same each time: sorted, with one time for all, without names of users."""
import gzip
import io
import tarfile
from pathlib import Path, PurePosixPath
from typing import Dict, Iterable, NamedTuple, Optional


class Entry(NamedTuple):
    """A file, or a folder when it has no content."""

    place: str
    mode: int
    content: Optional[bytes] = None
    owner: int = 0


def tar(entries: Iterable[Entry], epoch: int) -> bytes:
    """Folders on the way to an entry are added."""
    all_of_them: Dict[str, Entry] = {}
    for entry in entries:
        if entry.place in all_of_them:
            raise ValueError(f"{entry.place} is there twice")
        all_of_them[entry.place] = entry
    for place in list(all_of_them):
        for folder in PurePosixPath(place).parents:
            if str(folder) != ".":
                all_of_them.setdefault(str(folder), Entry(str(folder), 0o755))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for place, entry in sorted(all_of_them.items()):
            head = tarfile.TarInfo(place)
            head.mode, head.mtime, head.uid, head.gid = entry.mode, epoch, entry.owner, entry.owner
            if entry.content is None:
                head.type = tarfile.DIRTYPE
                archive.addfile(head)
            else:
                head.size = len(entry.content)
                archive.addfile(head, io.BytesIO(entry.content))
    return buffer.getvalue()


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as out:
        out.write(content)
    return buffer.getvalue()


def of_folder(folder: Path, under: str = "") -> Iterable[Entry]:
    """The files of a folder, readable by all."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield Entry(f"{under}{path.relative_to(folder)}", 0o644, path.read_bytes())
