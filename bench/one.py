"""Section `one`: all rows as one group. Each method has a ladder of its knobs, from quick to thorough."""

import math

from common import has_avx512, markdown
from settings import (
    AVX2_ENV,
    AVX512_BLAS,
    AVX512_ENV,
    RECALLS,
    Core,
    Data,
    Peer,
    Session,
    by_method,
    fastest,
    measure,
    ratio,
    settings_table,
    target,
)

FLAT, AUTO, AVX2 = "grouplink flat", "grouplink auto", " (AVX2 only)"
PEER = "faiss-flat"


def ladder(session: Session, rows: int) -> list:
    def some(values: list) -> list:
        return values[1:2] if session.small else values

    def ours(index: str, flags: str, values: list, command: bool = False) -> list:
        settings = []
        for value in some(values):
            knobs = dict(zip(flags.split(), value if isinstance(value, tuple) else (value,)))
            parts = [part for name, knob in knobs.items() for part in (f"--{name}", str(knob))]
            settings.append(Core(f"grouplink {index}", " ".join(f"{name} {knob}" for name, knob in knobs.items()),
                                 ["--index", index, *parts], command))
        return settings

    nlist = round(math.sqrt(rows))
    flat = ["--index", "flat"]
    settings = [Core(FLAT, "", flat, command=True, anchor=True), Peer(PEER), Peer("sklearn"),
                Core(f"{FLAT}{AVX2}", "", flat, env=AVX2_ENV), Peer(PEER, label=AVX2, env=AVX2_ENV)]
    if has_avx512():
        settings.append(Peer(PEER, label=AVX512_BLAS, env=AVX512_ENV))
    settings += ours("auto", "recall-target", [0.9, 0.945, 0.97, 0.98, 0.988, 0.99, 0.995], command=True)
    settings += ours("partition", "passes fanout refinements", [(1, 4, 1), (1, 8, 1), (1, 6, 2), (1, 8, 2), (1, 12, 2)])
    settings += ours("ivf", "nprobe", [8, 32, 64])
    settings += ours("hnsw", "ef-search", [16, 64])
    settings += [Peer("pynndescent", f"n={n}") for n in some([16, 17, 24, 30, 32])]
    settings += [Peer("faiss-hnsw", f"M={M},efc={efc},ef={ef}") for M, efc, ef in some(
        [(16, 40, 16), (16, 80, 32), (32, 80, 32), (32, 80, 64)])]
    settings += [Peer("hnswlib", f"M={M},efc={efc},ef={ef}") for M, efc, ef in some(
        [(8, 50, 32), (16, 50, 16), (16, 100, 16), (16, 100, 64)])]
    settings += [Peer("usearch", f"dtype={dtype},M=16,efc={efc},ef={ef}") for dtype, efc, ef in some(
        [("i8", 64, 16), ("f16", 64, 16), ("f16", 64, 64), ("f16", 128, 64)])]
    settings += [Peer("faiss-ivf", f"nlist={nlist},nprobe={nprobe}") for nprobe in some([8, 28, 64])]
    settings += [Peer("faiss-ivf-batch", f"nlist={nlist},nprobe={nprobe}") for nprobe in some([8, 28, 64])]
    settings += [Core("annoy", f"trees {trees}, search_k {effort}", ["--method", f"annoy:{effort}", "--trees", trees],
                      anchor=trees == 30) for trees, effort in some([(10, 900), (30, 900), (30, 3600)])]
    return settings


def equal_table(methods: dict[str, list]) -> str:
    rows = []
    for name in sorted(methods, key=lambda name: (name != AUTO, not name.startswith("grouplink"))):
        if AVX2 in name:
            continue
        row = [name]
        for recall in RECALLS:
            best, ours = fastest(methods[name], recall), fastest(methods.get(AUTO, []), recall)
            reached = ratio(best, ours)
            row += [f"{best.seconds:.2f}" if best else "not reached", f"{reached:.2f}" if reached else ""]
        rows.append(row)
    return markdown(["method", *[cell for recall in RECALLS for cell in (f"s at >= {recall:g}", "over auto")]], rows)


def targets_of(methods: dict[str, list]) -> list[dict]:
    def best(name: str, recall: float = 0.0):
        return fastest(methods.get(name, []), recall)

    flat = best(FLAT)
    targets = [target("one group, exact: faiss-cpu flat over grouplink", 8, ratio(best(PEER), flat))]
    if PEER + AVX512_BLAS in methods:
        targets.append(target("one group, exact: faiss-cpu flat with its BLAS told AVX-512 over grouplink", 8,
                              ratio(best(PEER + AVX512_BLAS), flat)))
    targets.append(target("one group, exact, both held to AVX2: faiss-cpu flat over grouplink", 1.8,
                          ratio(best(PEER + AVX2), best(FLAT + AVX2))))
    for recall in RECALLS[:2]:
        targets.append(target(f"one group, recall {recall}: pynndescent over grouplink auto", 3,
                              ratio(best("pynndescent", recall), best(AUTO, recall))))
    if flat and AUTO in methods:
        slowest = max(methods[AUTO], key=lambda setting: setting.seconds)
        targets.append(target("one group: auto at its slowest over exact, 5 % for noise", 1.05, ratio(slowest, flat),
                              most=True))
    if flat:
        targets.append(target("one group, exact: the command's peak memory over float32 input and output", 1.3,
                              flat.details["command_memory_ratio"], most=True))
    return targets


def run(session: Session, data: Data) -> dict:
    data.find_truth(session, 200 if session.small else 1000)
    settings = measure(session, data, ladder(session, data.rows))
    methods = by_method(settings)
    flat = fastest(methods.get(FLAT, []))
    table = settings_table(settings, flat.seconds if flat else None)
    if methods:
        table += "\nThe fastest setting of each method that reaches a recall:\n\n" + equal_table(methods)
    return {"title": f"One group: {data.name}, {data.rows:,} rows", "table": table, "targets": targets_of(methods),
            "settings": settings, "data": data.name, "rows": data.rows}
