"""The tool's command line: `pictures`, `scenes` and `open` render, `collect` gathers labels, `sheet` shows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def say(line: str) -> None:
    """One line of progress."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def arguments() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(prog="python -m models.scenes.blender", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    pictures = commands.add_parser("pictures", help="render the demo's pictures")
    pictures.add_argument("--out", type=Path, default=Path("demo/pictures"))
    pictures.add_argument("--only", nargs="*", default=[], metavar="NN", help="how their file names begin")
    pictures.add_argument("--samples", type=int, default=12)
    pictures.add_argument("--scale", type=float, default=1.0, help="below 1 for a quick look")
    pictures.add_argument("--threads", type=int, default=1)
    scenes = commands.add_parser("scenes", help="render labelled scenes; stop and start it as you like")
    scenes.add_argument("--out", type=Path, required=True)
    scenes.add_argument("--groups", type=int, default=1000, help="parcels; each is seen in --views pictures")
    scenes.add_argument("--views", type=int, default=3)
    scenes.add_argument("--shard", type=int, default=0)
    scenes.add_argument("--shards", type=int, default=1)
    scenes.add_argument("--minutes", type=float, default=1e9, help="stop after this long")
    scenes.add_argument("--seed", type=int, default=7)
    scenes.add_argument("--size", type=int, nargs=2, default=(512, 384), metavar=("WIDTH", "HEIGHT"))
    scenes.add_argument("--samples", type=int, default=8)
    scenes.add_argument("--threads", type=int, default=1)
    opened = commands.add_parser(
        "open", help="render open boxes with known contents, and their items' reference photos"
    )
    opened.add_argument("--out", type=Path, required=True)
    opened.add_argument("--boxes", type=int, default=100)
    opened.add_argument("--designs", type=int, default=52, help="how many items the shop sells")
    opened.add_argument("--references", type=int, default=1, help="photos of each item alone")
    opened.add_argument("--shard", type=int, default=0)
    opened.add_argument("--shards", type=int, default=1)
    opened.add_argument("--minutes", type=float, default=1e9, help="stop after this long")
    opened.add_argument("--seed", type=int, default=1)
    opened.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("WIDTH", "HEIGHT"))
    opened.add_argument("--samples", type=int, default=6)
    opened.add_argument("--threads", type=int, default=1)
    collect = commands.add_parser("collect", help="part files -> annotations.json (COCO)")
    collect.add_argument("folder", type=Path)
    collect.add_argument("--val", type=float, default=0.15, help="share of groups in the val split")
    sheet = commands.add_parser("sheet", help="a contact sheet of a folder's pictures")
    sheet.add_argument("folder", type=Path)
    sheet.add_argument("out", type=Path)
    sheet.add_argument("--most", type=int, default=48, help="pictures on it")
    return parser


def main() -> None:
    """Read the arguments and run."""
    # each command imports its own: `collect` needs no Blender
    args = arguments().parse_args()
    if args.command == "pictures":
        from models.scenes.blender.pictures import render_pictures  # noqa: PLC0415  see above

        only = tuple(args.only)
        render_pictures(args.out, say, only=only, samples=args.samples, scale=args.scale, threads=args.threads)
    elif args.command == "scenes":
        from models.scenes.blender.scenes import Run, render_scenes  # noqa: PLC0415  see above

        run = Run(
            args.out, args.seed, args.groups, args.views, args.shard, args.shards, args.minutes,
            tuple(args.size), args.samples, args.threads,
        )  # fmt: skip
        render_scenes(run, say)
    elif args.command == "open":
        from models.scenes.blender.boxes import BoxRun, render_boxes  # noqa: PLC0415  see above

        box_run = BoxRun(
            args.out, args.seed, args.boxes, args.designs, args.references, args.shard, args.shards, args.minutes,
            tuple(args.size), args.samples, args.threads,
        )  # fmt: skip
        render_boxes(box_run, say)
    elif args.command == "sheet":
        from models.scenes.blender.contact import contact_sheet  # noqa: PLC0415  see above

        contact_sheet(sorted(args.folder.glob("*.jpg"))[: args.most], args.out)
    else:
        from models.scenes.blender.collect import collect  # noqa: PLC0415  see above

        say(collect(args.folder, args.val))


if __name__ == "__main__":
    main()
