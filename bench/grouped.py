"""Section `grouped`: the rows in their groups, linked exactly, and by approximate indexes in each group."""

from common import has_avx512
from settings import (
    AVX512_BLAS,
    AVX512_ENV,
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

FLAT, INSIDE = "faiss-flat", ", all threads inside"


def ladder(session: Session) -> list:
    settings = [Core("grouplink", "", [], command=True),
                Peer(FLAT, way="groups"), Peer(FLAT, way="inside", label=INSIDE),
                Core("faiss in C++", "", ["--method", "faiss"])]
    if has_avx512():
        settings += [Peer(FLAT, way="groups", label=AVX512_BLAS, env=AVX512_ENV),
                     Core(f"faiss in C++{AVX512_BLAS}", "", ["--method", "faiss"], env=AVX512_ENV)]
    settings += [Core("annoy", f"trees 30, search_k {effort}", ["--method", f"annoy:{effort}", "--trees", 30],
                      anchor=True) for effort in (900, 3600)]
    settings += [Peer("sklearn"), Peer("hnswlib", "M=16,efc=50,ef=32", way="groups")]
    if not session.small:
        settings += [Peer("hnswlib", "M=16,efc=100,ef=64", way="groups"),
                     Peer("usearch", "dtype=f16,M=16,efc=64,ef=32"), Peer("pynndescent", "n=20"),
                     Peer("pynndescent", "n=30")]
    return settings


def run(session: Session, data: Data) -> dict:
    data.find_truth(session, 200 if session.small else 1000)
    settings = measure(session, data, ladder(session))
    methods = by_method(settings)
    ours = fastest(methods.get("grouplink", []))
    defaults = next((setting for setting in settings if setting.name == "annoy trees 30, search_k 900"), None)
    flat = fastest(methods.get(FLAT, []) + methods.get(FLAT + INSIDE, []))
    targets = [target("groups, exact: faiss-cpu flat over grouplink", 5, ratio(flat, ours)),
               target("groups, exact: Annoy's defaults over grouplink", 7, ratio(defaults, ours))]
    if FLAT + AVX512_BLAS in methods:
        targets.insert(1, target("groups, exact: faiss-cpu flat with its BLAS told AVX-512 over grouplink", 5,
                                 ratio(fastest(methods[FLAT + AVX512_BLAS]), ours)))
    if ours:
        targets.append(target("groups: the command's peak memory over float32 input and output", 1.3,
                              ours.details["command_memory_ratio"], most=True))
    table = settings_table(settings, ours.seconds if ours else None)
    return {"title": f"In groups: {data.name}, {data.rows:,} rows", "table": table, "targets": targets,
            "settings": settings, "data": data.name, "rows": data.rows}
