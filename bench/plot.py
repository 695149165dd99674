#!/usr/bin/env python3
"""Draws recall against time, and growth where it was measured: FOLDER/plot.svg and .png, FOLDER/scale.svg and .png,
from FOLDER/results.json. Run by bench/run."""

import argparse
import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from curves import EXACT, front, spread

TICKS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999)


def recall_time(result: dict, one: dict):
    figure, axes = plt.subplots(figsize=(9, 6))
    points: dict[str, list] = {}
    for setting in one["settings"]:
        if "GROUPLINK_ISA" in setting["environment"]:
            continue  # held to other instructions: not a method of its own
        points.setdefault(setting["method"], []).append((setting["recall"], setting["core_median"]))
    top = spread(EXACT)  # where the exact ones stand, with no line to them
    place = {recall: spread(recall) for values in points.values() for recall, _ in values}
    for number, (method, values) in enumerate(points.items()):
        ours = method.startswith("grouplink")
        colour = f"C{number % 10}"
        best = front(values)
        edge = [point for point in best if point[0] < EXACT]
        exact = [point for point in best if point[0] >= EXACT][:1]
        shape = "o" if ours else "^"
        axes.plot([place[recall] for recall, _ in exact], [seconds for _, seconds in exact], color=colour,
                  marker=shape, markersize=5, label="" if edge else method, linestyle="")
        axes.plot([place[recall] for recall, _ in edge], [seconds for _, seconds in edge], color=colour,
                  marker=shape, linestyle="-" if ours else "--", linewidth=2.2 if ours else 1.2,
                  markersize=5, label=method if edge else "")
        rest = [point for point in values if point not in edge and point not in exact]
        axes.plot([place[recall] for recall, _ in rest], [seconds for _, seconds in rest], color=colour, marker=".",
                  linestyle="", alpha=0.4)
    least = min(place.values())
    ticks = [tick for tick in TICKS if spread(tick) >= least - 0.3]
    any_exact = any(recall >= EXACT for recall in place)
    axes.set_xticks([spread(tick) for tick in ticks] + ([top] if any_exact else []),
                    [f"{tick:g}" for tick in ticks] + (["1"] if any_exact else []))
    axes.minorticks_off()
    axes.set_yscale("log")
    axes.set_xlabel(f"recall@{result['k']}")
    axes.set_ylabel("seconds, rows in memory to neighbors in memory")
    axes.set_title(f"{one['data']}: {one['rows']:,} rows as one group, "
                   f"{result['threads']} threads", fontsize=11)
    axes.grid(True, which="both", alpha=0.25)
    axes.legend(fontsize=8, ncols=2)
    return figure


def scale(result: dict, section: dict):
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.5))
    kinds = list(dict.fromkeys(run["kind"] for run in section["runs"]))
    for number, kind in enumerate(kinds):
        runs = [run for run in section["runs"] if run["kind"] == kind and run["seconds"]]
        if not runs:
            continue
        sizes = [run["rows"] for run in runs]
        panels[0].plot(sizes, [run["median_seconds"] for run in runs], marker="o", color=f"C{number}", label=kind)
        panels[1].plot(sizes, [run["own_memory_bytes"] / 1e9 for run in runs], marker="o", color=f"C{number}",
                       label=f"{kind}: beyond the input")
        panels[1].plot(sizes, [run["peak_memory_bytes"] / 1e9 for run in runs], marker=".", linestyle=":",
                       color=f"C{number}", label=f"{kind}: all resident")
    for axes, label in zip(panels, ("seconds of the whole command", "GB at the peak")):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("rows")
        axes.set_ylabel(label)
        axes.grid(True, which="both", alpha=0.25)
        axes.legend(fontsize=8)
    figure.suptitle(f"--index auto, recall target {section['recall_target']}, {result['threads']} threads",
                    fontsize=11)
    return figure


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    plt.rcParams["svg.hashsalt"] = "grouplink"  # the same file each time
    result = json.loads((folder / "results.json").read_text())
    for name, section, draw in (("plot", "one", recall_time), ("scale", "scale", scale)):
        if section not in result["sections"]:
            continue
        figure = draw(result, result["sections"][section])
        figure.tight_layout()
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        figure.savefig(folder / f"{name}.png", dpi=150)
        print(f"written: {folder / name}.svg, {folder / name}.png", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
