"""Inputs whose reports are looked at, and the pages that the command makes of them."""

import subprocess

import numpy as np

NAMES = ["usual", "hostile", "no_links", "one_group", "many_groups", "all_bad", "equal_weights", "dot",
         "group_cuts", "approximate"]

HOSTILE = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "a & b </td></table>", "'; --",
           "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u202e reversed", "\u6771\u4eac\u90fd\u5e81" * 30,
           "\U0001f600 emoji", "x" * 400, "{{7*7}} ${1} <!-- -->", "]]> <svg onload=alert(1)>"]

# Texts that must be seen as they are.
WORDS_SEEN = {"hostile": ["<script>alert(1)</script>", "a & b </td></table>"],
              "no_links": ["The result has no links."],
              "all_bad": ["zero_norm", "The result has no links."]}


def clusters(rows, dim, seed=0):
    """Rows around a few centres, so that some are nearer than others."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((max(rows // 40, 1), dim))
    noise = random.uniform(0.2, 1.2, (rows, 1))
    return (centres[random.integers(len(centres), size=rows)] + noise * random.standard_normal((rows, dim))).astype(
        np.float32)


def inputs(name):
    """The vectors, groups, texts and arguments of a case."""
    random = np.random.default_rng(1)
    rows = 1500
    vectors = clusters(rows, 24)
    groups = [f"group {g}" for g in random.zipf(1.5, rows).clip(max=12)]
    texts = [f"the text of row {row}, as it would stand in a table" for row in range(rows)]
    arguments = []
    if name == "usual":
        arguments = ["--similarity-min-q", "0.3"]
    elif name == "hostile":
        groups = [HOSTILE[row % len(HOSTILE)] for row in range(rows)]
        texts = [HOSTILE[(row * 7 + row // 10) % len(HOSTILE)] for row in range(rows)]
    elif name == "no_links":
        arguments = ["--similarity-min", "1.5"]
    elif name == "one_group":
        groups = ["all"] * rows
        arguments = ["--links", "symmetric", "--similarity", "cosine"]
    elif name == "many_groups":
        rows = 200_000
        vectors = clusters(rows, 4)
        groups = [f"g{row // 2}" for row in range(rows)]
        texts = [str(row) for row in range(rows)]
    elif name == "all_bad":
        vectors[:] = 0
        arguments = ["--on-bad-row", "drop"]
    elif name == "equal_weights":
        vectors[:] = 1
    elif name == "dot":
        vectors *= 30
        arguments = ["--metric", "dot", "--similarity-min", "-1e9", "--links", "mutual"]
    elif name == "group_cuts":
        vectors[:10] = 0
        vectors[10, 3] = np.nan
        arguments = ["--similarity-min-q", "0.5", "--quantile-scope", "group", "--metric", "euclidean",
                     "--on-bad-row", "drop"]
    elif name == "approximate":
        rows = 12_000
        vectors = clusters(rows, 24)
        groups = [f"part {row % 4}" for row in range(rows)]
        texts = [f"row {row}" for row in range(rows)]
        arguments = ["--index", "ivf", "--nprobe", "2", "--similarity-min", "0.55"]
    return vectors, groups, texts, arguments


def make(name, command, folder):
    """The page; its report as JSON stands beside it."""
    vectors, groups, texts, arguments = inputs(name)
    np.save(folder / f"{name}.npy", vectors)
    table = "group\ttext\n" + "".join(f"{group}\t{text}\n" for group, text in zip(groups, texts))
    (folder / f"{name}.tsv").write_text(table)
    page = folder / f"{name}.html"
    subprocess.run([command, "link", f"{name}.npy", "-o", f"{name}.npz", "--groups", f"{name}.tsv:group", "--text",
                    "text", "--report", page.name, "--report", f"{name}.json", "-q", "--force", *arguments],
                   cwd=folder, check=True)
    return page
