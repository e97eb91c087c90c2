# SPDX-License-Identifier: GPL-3.0-or-later
"""The table and the JSON of a run."""
import json
import os
import platform

from .processes import median


class Row:
    """One comparison: samples of ours and of a peer, taken in turn. `unit` says what a sample is; `aim` is the ratio (or, without a
    peer, the figure) that the project wants; with `less` small is good."""

    def __init__(self, name, unit, peer=None, aim=None, less=False, note=""):
        self.name, self.unit, self.peer, self.aim, self.less, self.note = name, unit, peer, aim, less, note
        self.ours, self.theirs = [], []

    def figure(self):
        return median(self.ours) if self.ours else None

    def peer_figure(self):
        return median(self.theirs) if self.theirs else None

    def ratio(self):
        return self.figure() / self.peer_figure() if self.ours and self.theirs else None

    def met(self):
        value = self.ratio() if self.peer else self.figure()
        if self.aim is None or value is None:
            return None
        return value <= self.aim if self.less else value >= self.aim

    def as_json(self):
        return {"name": self.name, "unit": self.unit, "ours": self.ours, "median": self.figure(), "peer": self.peer, "theirs": self.theirs,
                "peer_median": self.peer_figure(), "ratio": self.ratio(), "aim": self.aim, "less_is_better": self.less, "met": self.met(), "note": self.note}


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(rows):
    header = ["what", "ours", "unit", "peer", "peer's", "ratio", "aim", ""]
    lines = [header]
    for row in rows:
        sign = "<=" if row.less else ">="
        aim = f"{sign} {row.aim:g}" + ("" if row.peer else f" {row.unit}") if row.aim is not None else ""
        lines.append([row.name, number(row.figure()), row.unit, row.peer or "", number(row.peer_figure()) if row.peer else "", number(row.ratio()) if row.peer else "", aim,
                      {True: "met", False: "MISSED", None: ""}[row.met()]])
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    right = {1, 4, 5}
    out = []
    for line in lines:
        cells = [cell.rjust(width) if column in right else cell.ljust(width) for column, (cell, width) in enumerate(zip(line, widths))]
        out.append("| " + " | ".join(cells) + " |")
    out.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(out)


def machine():
    model = ""
    try:
        with open("/proc/cpuinfo") as cpuinfo:
            model = next((line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")), "")
    except OSError:
        pass
    return {"cores": os.cpu_count(), "processor": model, "system": platform.platform()}


def write_json(path, rows, settings):
    with open(path, "w") as out:
        json.dump({"machine": machine(), "settings": settings, "rows": [row.as_json() for row in rows]}, out, indent=1)
        out.write("\n")
