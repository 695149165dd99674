"""Section `tiny`: very many groups of 5 to 50 rows, against a loop over FAISS flat indexes in C++."""

from common import has_avx512, say
from settings import AVX512_BLAS, AVX512_ENV, Core, Session, fastest, ratio, settings_table, target


class MadeUp(Core):
    """Makes its rows in its own process, and is judged there, on 1,000 of them."""

    def __init__(self, method: str, arguments: list, rows: list, **more):
        super().__init__(method, "", arguments, **more)
        self.rows = rows

    def run(self, session: Session, data: None) -> None:
        oracle = ["--oracle", 1000] if not self.core else []
        result = session.core(*self.rows, *self.arguments, *oracle, env=self.env)
        method = result["methods"][0]
        self.core.append(method["seconds"][0])
        self.cpu.append(method["cpu_seconds"][0])
        self.note_memory(method["peak_memory_bytes"], result["memory_before_bytes"])
        self.details |= {"rows": result["rows"]}
        if oracle:
            self.accuracy = method["accuracy"]
            if not self.accuracy["exact"]:
                self.details["warning"] = f"differs from brute force: {self.accuracy}"


def beside_faiss(session: Session, rows: list, label: str) -> list[MadeUp]:
    """grouplink and loops over FAISS flat indexes in C++, in turn, on made-up rows."""
    settings = [MadeUp("grouplink", ["--method", "grouplink"], rows),
                MadeUp("faiss in C++", ["--method", "faiss"], rows)]
    if has_avx512():
        settings.append(MadeUp(f"faiss in C++{AVX512_BLAS}", ["--method", "faiss"], rows, env=AVX512_ENV))
    settings = session.wanted(settings)
    for turn in range(session.runs):
        for setting in settings:
            say(f"{label}: run {turn + 1} of {session.runs}: {setting.name}")
            setting.run(session, None)
    return settings


def run(session: Session, groups: int) -> dict:
    settings = beside_faiss(session, ["--data", "tiny", "--groups", groups], "tiny")
    ours = fastest([setting for setting in settings if setting.method == "grouplink"])
    other = fastest([setting for setting in settings if setting.method.startswith("faiss")])
    return {"title": f"{groups:,} groups of 5 to 50 rows x 384", "settings": settings,
            "table": settings_table(settings, ours.seconds if ours else None),
            "targets": [target(f"{groups:,} tiny groups: a loop over FAISS flat indexes in C++, the faster of both, "
                               "over grouplink", 10, ratio(other, ours))],
            "groups": groups}
