"""The slides in folders, and an account of everything there that is not taken."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from attrs import frozen

from .._core._arguments import as_path
from .._inputs import Slide
from ..errors import NotASlide, SlideError, UsageError
from .files._grouping import folder_headers, group_series
from .files._members import claimed_files, mirax_folder
from .files._neighbours import read_beside
from .files._system_names import is_hidden, is_system_file, is_trash
from .formats._detection import SUFFIXES, UNSUPPORTED_SUFFIXES, FileContent, Format, identify
from .formats._dicom import DicomHeader, may_be_dicom, read_header
from .formats._tiff import first_picture
from .formats._zipped import not_a_series

_MIRAX_INDEX = "slidedat.ini"
# As browsers and programs that copy call a file until it is whole.
_UNFINISHED = frozenset(
    {".aria2", ".crdownload", ".download", ".filepart", ".opdownload", ".part", ".partial", ".temp", ".tmp"}
)
# What programs add to a suffix: numbers of versions, what an address asked for, marks of copies.
_ADDED = re.compile(r"[^.a-z0-9].*", re.DOTALL)
_ORPHAN = FileContent(Format.OTHER, "it is of a MIRAX slide whose .mrxs file is not beside its folder")
_UNDER_WAY = FileContent(Format.UNSUPPORTED, "its name says that it is a copy which is not finished")


class LeftOutReason(StrEnum):
    """The reason why a file or folder is not among the found slides, as `LeftOut.reason` has it.

        slides = find_slides("lab/")
        hidden = [each.path for each in slides.left_out if each.reason is LeftOutReason.HIDDEN]

    The values are the names in lower case: `hidden`, `trash`, `format` and `duplicate`.
    """

    HIDDEN = "hidden"
    """The name of the file or folder begins with a dot."""
    TRASH = "trash"
    """A trash or snapshot folder of an operating system, such as `$RECYCLE.BIN`."""
    FORMAT = "format"
    """The content is not a slide, can't be read or has an unsupported format, or the name is that of an
    unfinished copy.
    """
    DUPLICATE = "duplicate"
    """The same file, or a copy of the same DICOM instance, was found under another name."""


@frozen
class LeftOut:
    """A file that is not among the found slides, or a folder that was not searched.

        for each in find_slides("lab/").left_out:
            print(each.path, each.reason, each.detail)

    `path` is a text, and `reason` a `LeftOutReason`. `detail` is more about it for people, empty by default.
    `is_slide`, False by default, tells if the file may be a slide by content or suffix, such as a duplicate,
    one of an unsupported format or an unfinished copy, or if the folder has a file with such a suffix.
    """

    path: str
    """The path of the file or folder."""
    reason: LeftOutReason
    """Why it is left out."""
    detail: str = ""
    """More about the reason, for people; empty by default."""
    is_slide: bool = False
    """Whether it may be a slide by content or suffix, or the folder has one; False by default."""


class FoundSlides(list[Slide]):
    """The slides that `find_slides` found: a list of `Slide`, with two attributes.

        slides = find_slides("lab/")
        print(len(slides), slides.references, slides.left_out)

    `references` maps the path of each slide, a `Path`, to a reference: its path below the folder that was
    searched, with slashes, or the file name of a slide that was named. Slides of several places may get the
    same reference. `left_out` is a tuple of `LeftOut`, as `find_slides` describes. Both are empty by default.
    """

    def __init__(
        self,
        slides: Iterable[Slide],
        references: Mapping[Path, str] | None = None,
        left_out: Iterable[LeftOut] = (),
    ) -> None:
        super().__init__(slides)
        self.references = dict(references or {})
        """The path of each slide below the folder that was given, with slashes; or the name of its file."""
        self.left_out = tuple(left_out)
        """Other files that were seen, and folders that were not searched."""


def find_slides(*places: str | os.PathLike[str]) -> FoundSlides:
    """Return the slides in folders and their subfolders, and slides that are named.

        slides = find_slides("lab/", "other/case-7.svs")
        items = [Item(slides.references[slide.path], slide=slide) for slide in slides]
        for each in slides.left_out:
            print(each.path, each.reason, each.detail)

    Slides are in the order of the places, and sorted by path within a folder, a DICOM series by its first
    file; the list is empty if there are none. Mostly the content of a file determines what it is. A file that
    is named, or can't be read and has the suffix of a slide, counts as one; `read_slide` then raises the
    reason. The files of one DICOM series are one slide, in several folders too, and however many of them are
    named: the rest is looked for in the folders around theirs. `left_out` lists other files and folders that
    were not searched, with the reason, but no files that systems write, such as `.DS_Store`.

    Blocks: reads the beginning of every file, and of up to 4,000 files around each folder with DICOM, and
    more of TIFF, ZIP and DICOM files. Raises UsageError for a place that is missing or no path, and for a
    folder, or one below it, that can't be read; and MissingExtra for DICOM files without the `slides` extra.
    """
    search = _SlideSearch()
    for place in [as_path(place, "a place") for place in places]:
        if os.path.isfile(place):  # unlike `Path.is_file`, it raises nothing
            search.name(place)
        else:
            search.folder(place)
    return search.found()


class _SlideSearch:
    """Collects files from several places, and groups them into slides."""

    def __init__(self) -> None:
        self._references: dict[str, str] = {}
        self._known: dict[tuple[int, int], str] = {}
        self._named: set[str] = set()
        self._left_out: list[LeftOut] = []
        self._headers: dict[str, DicomHeader] = {}
        self._damaged: set[str] = set()
        self._others: list[str] = []
        self._folders: dict[Path, Mapping[str, tuple[str, ...]]] = {}

    def name(self, path: Path) -> None:
        """Take a file that was named, whatever it is, and the rest of its DICOM series."""
        if self._is_another_name(path):
            return
        self._named.add(str(path))
        if self._references.setdefault(str(path), path.name) == path.name:
            self._read(path)
        if str(path) in self._headers:
            for other in self._series_in(path.parent).get(self._headers[str(path)].series, ()):
                self._read(Path(other))

    def _series_in(self, folder: Path) -> Mapping[str, tuple[str, ...]]:
        """Return the files of each DICOM series in a folder, which is looked into once."""
        if folder not in self._folders:
            self._folders[folder] = group_series(*folder_headers(folder)).series
        return self._folders[folder]

    def folder(self, root: Path) -> None:
        """Take the slides below a folder."""

        def refuse(error: OSError) -> None:
            raise UsageError(
                f"{error.filename} can't be read as a folder ({error.strerror}); is the path right?"
            )

        try:
            paths = sorted(map(Path, candidates(root, refuse, self._left_out.append)))
        except ValueError as error:  # a path that no folder can have
            raise UsageError(f"{str(root)!r} can't be read as a folder ({error})") from None
        for path in paths:
            if str(path) not in self._references and not self._is_another_name(path):
                self._references[str(path)] = path.relative_to(root).as_posix()
                self._read(path)

    def _is_another_name(self, path: Path) -> bool:
        """Whether a file was found in another place by another path; tells about it."""
        known = self._known.setdefault(_identity(str(path)), str(path))
        if known != str(path):
            self._left_out.append(_same(str(path), known))
        return known != str(path)

    def _read(self, path: Path) -> None:
        if str(path) in self._headers:
            return
        try:
            if may_be_dicom(path):
                self._headers[str(path)] = read_header(path)
            else:
                self._others.append(str(path))
        except NotASlide as error:
            if str(path) in self._named:
                self._others.append(str(path))  # reading it tells why
            else:
                self._left_out.append(LeftOut(str(path), LeftOutReason.FORMAT, error.problem))
        except SlideError:
            self._damaged.add(str(path))

    def found(self) -> FoundSlides:
        """Return the slides, in the order of the places."""
        groups = group_series({**self._headers, **read_beside(self._headers)}, self._damaged)
        series = {path: files for files in groups.series.values() for path in files}
        standing = {groups.series[uid]: path for uid, path in groups.first.items()}
        alone = {*self._others, *groups.alone}
        slides: dict[tuple[str, ...], Slide] = {}
        for path in self._references:
            files = series.get(path)
            if files is not None:
                first = standing[files]
                slides.setdefault(files, Slide(first if first in self._references else path, files=files))
            elif path in alone:
                slides[(path,)] = Slide(path)
        left_out = [*self._left_out, *duplicates(groups.copies)]
        references = {slide.path: self._references[str(slide.path)] for slide in slides.values()}
        return FoundSlides(slides.values(), references, left_out)


def duplicates(copies: Mapping[str, str]) -> list[LeftOut]:
    """Return copies as files that are left out."""
    return [
        LeftOut(path, LeftOutReason.DUPLICATE, f"it is a copy of {first}", is_slide=True)
        for path, first in copies.items()
    ]


def candidates(
    root: Path,
    refuse: Callable[[OSError], None],
    leave_out: Callable[[LeftOut], None],
    is_named: Callable[[str], bool] = lambda _path: False,
) -> Iterator[str]:
    """Give the files below a folder that are slides, or files of one, by content or suffix.

    Each file once, whatever links lead to it. `refuse` is told of folders that can't be read; a file that
    `is_named` counts whatever it is.
    """
    files: dict[tuple[int, int], str] = {}
    for folder, names in walk(root, refuse, leave_out):
        claimed = _claimed(folder, names)
        for name in names:
            path = os.path.join(folder, name)
            if path in claimed:
                continue
            reason = None if is_named(path) else not_a_slide(Path(path))
            if reason is not None:
                leave_out(LeftOut(path, LeftOutReason.FORMAT, reason.problem, _is_slide(name, reason)))
                continue
            known = files.setdefault(_identity(path), path)
            if known == path:
                yield path
            else:
                leave_out(_same(path, known))


def _same(path: str, known: str) -> LeftOut:
    detail = f"it is the same file as {known}"
    return LeftOut(path, LeftOutReason.DUPLICATE, detail, is_slide=True)


def not_a_slide(path: Path) -> FileContent | None:
    """Return why a file is not taken as a slide; None for one that is, or is meant as one by its suffix."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return None  # reading it tells what is wrong with it
    try:
        content = identify(path)
        if content.format is Format.ZIP:
            return not_a_series(path, content)
        if content.format is Format.TIFF and not _is_slide_tiff(path):
            return FileContent(Format.OTHER, "it is a TIFF without tiles, not a slide")
    except (SlideError, OSError) as error:
        problem = error.problem if isinstance(error, SlideError) else str(error.strerror)
        is_hidden_slide = os.path.isfile(path) or not os.path.exists(path)  # nobody knows what it is
        return FileContent(Format.UNSUPPORTED if is_hidden_slide else Format.OTHER, problem)
    if content.format.is_slide:
        return _UNDER_WAY if suffix in _UNFINISHED else None
    # Folders of MIRAX slides that are whole are not searched.
    return _ORPHAN if path.name.lower() == _MIRAX_INDEX else content


def _is_slide(name: str, content: FileContent) -> bool:
    return content.format is Format.UNSUPPORTED or _is_meant(name)


def _is_slide_tiff(path: Path) -> bool:
    first = first_picture(path)
    return first.is_tiled or first.is_ndpi


def _is_meant(name: str) -> bool:
    """Whether a name is one of a slide, or of a packed or unfinished copy of one."""
    if name.lower() == _MIRAX_INDEX:
        return True
    suffixes = [_ADDED.sub("", suffix.lower()) for suffix in Path(name.rstrip(". ")).suffixes[-2:]]
    return any(suffix in SUFFIXES | UNSUPPORTED_SUFFIXES for suffix in suffixes)


def _is_strange(name: str) -> bool:
    """Whether a file in the folder of a MIRAX slide is another slide."""
    return _is_meant(name) and name.lower() != _MIRAX_INDEX


def _identity(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (-1, hash(path))  # a broken link is no other file's name
    return status.st_dev, status.st_ino


def _claimed(folder: str, names: Iterable[str]) -> set[str]:
    """Return the files of a folder that belong to an index file in it."""
    claimed = set[str]()
    for name in names:
        if name.lower().endswith((".vms", ".vmu", ".afi")):
            path = Path(folder, name)
            try:
                claimed |= {str(each) for each in claimed_files(path, identify(path))}
            except (SlideError, OSError):
                continue  # reading it tells why
    return claimed


def walk(
    root: Path, refuse: Callable[[OSError], None], leave_out: Callable[[LeftOut], None]
) -> Iterator[tuple[str, list[str]]]:
    """Give each folder with the names of its files, links followed, no folder twice.

    `leave_out` is told of what is hidden or in the trash. Files in a MIRAX slide's folder are its own.
    """
    seen: set[tuple[int, int]] = set()
    mirax = set[str]()
    for folder, subfolders, inside in os.walk(root, onerror=refuse, followlinks=True):
        try:
            status = os.stat(folder)
        except OSError as error:
            subfolders.clear()
            refuse(error)
            continue
        if (status.st_dev, status.st_ino) in seen:  # links may lead back
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        is_own = folder in mirax  # then files are the slide's, but for slides that were put there by mistake
        names = [name for name in sorted(inside) if not is_own or _is_strange(name)]
        mirax |= {
            os.path.join(folder, mirax_folder(Path(name)).name)
            for name in names
            if name.lower().endswith(".mrxs")
        }
        subfolders[:] = [
            name for name in sorted(subfolders) if not _aside(folder, name, leave_out, is_folder=True)
        ]
        yield folder, [name for name in names if not _aside(folder, name, leave_out, is_folder=False)]


def _aside(folder: str, name: str, leave_out: Callable[[LeftOut], None], *, is_folder: bool) -> bool:
    """Whether a name is hidden or a system's; tells about it unless it is a system's own file."""
    if is_system_file(name):
        return True
    if is_folder and is_trash(name):
        reason = LeftOutReason.TRASH
    elif is_hidden(name):
        reason = LeftOutReason.HIDDEN
    else:
        return False
    path = os.path.join(folder, name)
    if is_folder:
        inside = _count(path)
        if inside:
            leave_out(LeftOut(path, reason, f"a folder with {sum(inside.values())} files", inside[True] > 0))
    else:
        leave_out(LeftOut(path, reason, "", _is_meant(name)))
    return True


def _count(folder: str) -> Counter[bool]:
    """Return how many files a folder that is not searched holds, by whether their suffix is a slide's."""
    return Counter(_is_meant(name) for _, _, names in os.walk(folder) for name in names)
