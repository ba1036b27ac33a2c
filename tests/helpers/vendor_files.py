"""Slides of scanners that write TIFF with texts of their own, small and made for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

_NOISE = np.random.default_rng(1).integers(100, 220, (512, 512, 3), dtype=np.uint8)
_SCN = """<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01">
<collection name="{name}" uuid="u" sizeX="26000000" sizeY="76000000"><barcode>{barcode}</barcode>
<image name="image_0001" uuid="v"><creationDate>2012-01-01T00:00:00Z</creationDate>
<device model="Leica SCN400" version="1"/><pixels sizeX="512" sizeY="512"><dimension sizeX="512" sizeY="512"
r="0" ifd="0"/></pixels><view sizeX="256000" sizeY="256000" offsetX="0" offsetY="0" spacingZ="0"/>
<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings><illuminationSettings>
<numericalAperture>0.4</numericalAperture><illuminationSource>brightfield</illuminationSource>
</illuminationSettings></scanSettings></image></collection></scn>"""
_JOIN = (
    '<TileJointInfo FlagJoined="1" Confidence="99" Direction="{}" Tile1="{}" Tile2="{}" OverlapX="0" '
    'OverlapY="0"/>'
)
_JOINS = (("RIGHT", 1, 2), ("RIGHT", 4, 3), ("UP", 1, 4), ("UP", 2, 3))
_SCAN = """<iScan Magnification="20" ScanRes="0.465" UnitNumber="BI10" UserName="{user}" Barcode1D="{barcode}"
Barcode2D="" ScannerModel="VENTANA DP 200" BuildVersion="3.3"/>"""
_BIF = """<?xml version="1.0"?><EncodeInfo Ver="2"><SlideInfo>{scan}
<AoiInfo XIMAGESIZE="256" YIMAGESIZE="256" NumRows="2" NumCols="2"/></SlideInfo><SlideStitchInfo>
<ImageInfo AOIScanned="1" AOIIndex="0" NumRows="2" NumCols="2" Width="256" Height="256" Pos-X="0" Pos-Y="0">
{joins}</ImageInfo></SlideStitchInfo><AoiOrigin><AOI0 OriginX="0" OriginY="0"/></AoiOrigin></EncodeInfo>"""


def write_scn(path: Path, *, name: str = "Slide 1", barcode: str = "") -> Path:
    """Write a slide as Leica's SCN400 does, with a collection's name and the barcode in base64."""
    tifffile.imwrite(
        path, _NOISE, photometric="rgb", tile=(256, 256), compression="zlib", bigtiff=True, metadata=None,
        description=_SCN.format(name=name, barcode=barcode), resolution=(20_000, 20_000),
        resolutionunit="CENTIMETER",
    )  # fmt: skip
    return path


def write_bif(path: Path, *, user: str = "admin", barcode: str = "") -> Path:
    """Write a slide as Ventana's scanners do, with its label in front; `user` and `barcode` are in XMP."""
    joins = "".join(
        _JOIN.format(*each) for each in (("RIGHT", 1, 2), ("RIGHT", 4, 3), ("UP", 1, 4), ("UP", 2, 3))
    )
    scan = _SCAN.format(user=user, barcode=barcode)
    texts = [f'<?xml version="1.0"?><Metadata>{scan}</Metadata>', _BIF.format(scan=scan, joins=joins)]
    tags = [[(700, 1, len(text.encode()), text.encode(), True)] for text in texts]
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        tiff.write(
            _NOISE[:200, :100], photometric="rgb", description="Label_Image", metadata=None, extratags=tags[0]
        )
        tiff.write(
            _NOISE, photometric="rgb", tile=(256, 256), compression="zlib", metadata=None, extratags=tags[1],
            description="level=0 mag=20 quality=95",
        )  # fmt: skip
    return path


def write_trestle(path: Path, *, more: str = "") -> Path:
    """Write a slide as Trestle's MedScan does; `more` are fields of its description."""
    tifffile.imwrite(
        path, _NOISE, photometric="rgb", tile=(256, 256), compression="zlib", metadata=None,
        description=f"Background Color=E6E6E6;White Balance=1;Objective Power=10;OverlapsXY=0 0;{more}",
        software="MedScan", resolution=(0.5, 0.5), resolutionunit="NONE",
    )  # fmt: skip
    return path
