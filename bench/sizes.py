"""Section `sizes`: as many rows in groups of 20 to 5,000, against a loop over FAISS flat indexes in C++."""

from common import markdown
from settings import Session, fastest, ratio
from tiny import beside_faiss

SIZES = (20, 50, 100, 200, 500, 1000, 2000, 5000)


def run(session: Session, rows: int) -> dict:
    every, lines = [], []
    for size in SIZES:
        groups = rows // size
        settings = beside_faiss(session, ["--data", "even", "--rows", rows, "--groups", groups], f"{size} rows a group")
        ours = fastest([setting for setting in settings if setting.method == "grouplink"])
        line = [f"{size:,}", f"{groups:,}", f"{ours.seconds:.3f}" if ours else ""]
        for setting in settings:
            if setting is not ours:
                line += [f"{setting.seconds:.3f}", f"{ratio(setting, ours):.2f}" if ours else ""]
        lines.append(line)
        every += settings
    heads = ["rows a group", "groups", "grouplink s"]
    for name in dict.fromkeys(setting.method for setting in every if setting.method != "grouplink"):
        heads += [f"{name} s", "ratio"]
    return {"title": f"{rows:,} rows x 384 in groups of one size, exact", "table": markdown(heads, lines),
            "targets": [], "settings": every, "rows": rows}
