"""Section `skewed`: how busy each thread is when one group is large and 40 are small."""

from common import markdown, median, say
from settings import Session, target

ROWS = 14_000
TENTHS = 10


def tenths(trace: list[float]) -> list[float]:
    part = len(trace) // TENTHS
    return [sum(trace[i * part:(i + 1) * part]) / part for i in range(TENTHS)]


def run(session: Session, rows: int = ROWS) -> dict:
    runs = []
    for turn in range(session.runs):
        say(f"skewed: run {turn + 1} of {session.runs}")
        method = session.core("--data", "lopsided", "--rows", rows, "--method", "grouplink", "--index",
                              "flat")["methods"][0]
        runs.append({"seconds": method["seconds"][0], "cpu_seconds": method["cpu_seconds"][0],
                     "busy_shares": method["busy_shares"], "tenths": [tenths(trace) for trace in method["busy_trace"]],
                     "busy_trace": method["busy_trace"]})
    # The median over the runs: one in which something else took a thread's processor does not count.
    threads = range(session.threads)
    shares = [median([run["busy_shares"][thread] for run in runs]) for thread in threads]
    by_tenth = [[median([run["tenths"][thread][place] for run in runs]) for place in range(TENTHS)]
                for thread in threads]
    table = markdown(["thread", "busy", *[f"{place + 1}." for place in range(TENTHS)]],
                     [[str(thread + 1), f"{shares[thread]:.1%}", *[f"{share:.0%}" for share in by_tenth[thread]]]
                      for thread in threads])
    return {"title": f"Skewed: a group of {rows:,} rows and 40 of 20 to 400, exact",
            "table": f"Busy share of each thread in the search, as a whole and tenth by tenth:\n\n{table}",
            "targets": [target("skewed groups: the least busy thread, of the search", 0.9, min(shares)),
                        target("skewed groups: the least busy thread, of the last tenth", 0.9,
                               min(tenth[-1] for tenth in by_tenth))],
            "settings": [], "rows": rows, "runs": runs}
