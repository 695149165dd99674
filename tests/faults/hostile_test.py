#!/usr/bin/env python3
"""Files that lie about their sizes, and names that want to be more than names, given to the command: one line,
exit code 3, in little time and memory; nothing written, nothing run, no control character on a terminal.

    hostile_test.py build/bin/grouplink [--parquet] [--no-limits]      --no-limits: of memory, which sanitizers need
"""

import io
import json
import os
import pathlib
import resource
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import fixtures  # noqa: E402  pylint: disable=wrong-import-position

COMMAND = ""
PARQUET = "--parquet" in sys.argv
LIMITS = "--no-limits" not in sys.argv
MEBIBYTE = 1 << 20
# Of data: heap, stacks of threads and private mappings, not libraries. Far less than any of the files claims.
MOST_MEMORY = 192 * MEBIBYTE
SECONDS = 2


def limit():
    if LIMITS:
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def npy(shape, descr="<f4", data=b"", version=1, length=None):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    size = len(header) if length is None else length
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", size) + header + data


def npz(**arrays):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in arrays.items():
            archive.writestr(f"{name}.npy", data)
    return target.getvalue()


def whole_npz(**changed):
    arrays = {"indices": npy("(0,)", "<i4"), "indptr": npy("(11,)", "<i4", bytes(44)),
              "format": npy("()", "|S3", b"csr"), "shape": npy("(2,)", "<i8", struct.pack("<qq", 10, 10)),
              "data": npy("(0,)")}
    return npz(**(arrays | changed))


# Vectors: all of them are refused by every command that reads them.
LYING_ROWS = {
    "terabytes.npy": npy("(1000000000000, 384)"),
    "overflow.npy": npy("(4611686018427387904, 4)"),
    "square.npy": npy("(4294967296, 4294967296)"),
    "no_rows.npy": npy("(0, 4611686018427387904)"),
    "no_dim.npy": npy("(4611686018427387904, 0)"),
    "past_64_bits.npy": npy("(99999999999999999999, 1)"),
    "negative.npy": npy("(-1, 4)"),
    "dimensions.npy": npy("(" + "1, " * 5000 + ")"),
    "nested.npy": npy("(" * 5000 + ")" * 5000),
    "wide.npy": npy("(1, 1)", "<f4294967295"),
    "header.npy": npy("(1, 1)", version=2, length=0xFFFFFFFF),
    "square.fbin": struct.pack("<II", 2**32 - 1, 2**32 - 1),
    "no_rows.fbin": struct.pack("<II", 0, 2**32 - 1),
    "rows.fbin": struct.pack("<II", 2**31, 1) + bytes(92),
    "wide.fvecs": struct.pack("<I", 2**32 - 1) + bytes(96),
    "signed.fvecs": struct.pack("<I", 2**31) + bytes(96),
    "deep.jsonl": b'{"vector": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    "open.jsonl": b'{"vector": ' + b"[" * 1_000_000,
    "objects.jsonl": b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n",
    "digits.jsonl": b'{"vector": [' + b"9" * 1_000_000 + b"]}\n{}",
}

LYING_LINKS = {
    "indptr.npz": whole_npz(indptr=npy("(1000000000001,)", "<i8")),
    "indices.npz": whole_npz(indices=npy("(1152921504606846976,)", "<i8")),
    "text.npz": whole_npz(format=npy("()", "<U1073741823")),
    "entries.npz": whole_npz()[:-14] + struct.pack("<HHIIH", 65535, 65535, 2**31, 0, 0),
    "bomb.npz": b"",  # made below
    "columns.csv": b"," * 4_000_000 + b"\n",
    "field.csv": b'source,target,weight\n"' + b"x" * 4_000_000,
    "quote.tsv": b'Source\tTarget\tWeight\n"' + b'"' * 3_000_001,
}

LYING_VALUES = {
    "rows.npy": npy("(1000000000000,)", "<i8"),
    "empty.npy": npy("(1000000000000,)", "<U0"),
    "wide.npy": npy("(1,)", "<U4294967295"),
    "bytes.npy": npy("(9223372036854775807,)", "|S1"),
}


class Hostile(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="grouplink-hostile-")
        self.folder = pathlib.Path(self.scratch.name)
        np.save(self.folder / "good.npy", fixtures.VECTORS)

    def tearDown(self):
        self.scratch.cleanup()

    def run_(self, *arguments, limited=True):
        environment = {name: value for name, value in os.environ.items() if name != "TERM"}
        return subprocess.run([COMMAND, *arguments], cwd=self.folder, capture_output=True, stdin=subprocess.DEVNULL,
                              timeout=60, check=False, preexec_fn=limit if limited else None,
                              env=environment | {"OPENBLAS_NUM_THREADS": "1"})

    def refused(self, *arguments, codes=(3,)):
        before = sorted(os.listdir(self.folder))
        with self.subTest(arguments=arguments):
            done = self.run_(*arguments)
            self.assertIn(done.returncode, codes, done.stderr[:500])
            self.assertRegex(done.stderr, rb"\Agrouplink: [^\n]+\n\Z")
            self.assertLess(len(done.stderr), 2000)
            self.clean(done)
            self.assertEqual(done.stdout, b"")
            self.assertEqual(sorted(os.listdir(self.folder)), before)

    def clean(self, done):
        """No control character but the ends of lines, nor one that turns the direction of writing."""
        for text in (done.stdout, done.stderr):
            text = text.decode()
            bad = [c for c in text if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066"]
            self.assertEqual(bad, [], text)

    def test_rows(self):
        for name, data in LYING_ROWS.items():
            (self.folder / name).write_bytes(data)
            self.refused("link", name, "-o", "out.npz")
            self.refused("explain", name)
            self.refused("convert", name, "out.fvecs" if name.endswith(".npy") else "out.npy")

    def test_inspect_allocates_nothing(self):
        for name, data in (LYING_ROWS | LYING_LINKS).items():
            (self.folder / name).write_bytes(data)
            with self.subTest(name=name):
                done = self.run_("inspect", name)
                self.assertIn(done.returncode, (0, 3), done.stderr[:500])
                self.clean(done)

    def test_links(self):
        (self.folder / "bomb.npz").write_bytes(b"")
        with zipfile.ZipFile(self.folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            with archive.open("data.npy", "w", force_zip64=True) as entry:
                entry.write(npy("(268435456,)"))
                for _ in range(64):
                    entry.write(bytes(MEBIBYTE))
        for name, data in LYING_LINKS.items():
            if data:
                (self.folder / name).write_bytes(data)
            self.refused("verify", "good.npy", name)
            self.refused("convert", name, "out.jsonl")

    def test_groups_and_ids(self):
        for name, data in LYING_VALUES.items():
            (self.folder / name).write_bytes(data)
            self.refused("link", "good.npy", "--groups", name, "-o", "out.npz")
            self.refused("link", "good.npy", "--ids", name, "-o", "out.csv")

    def test_parameters(self):
        deep = "[" * 400_000 + "]" * 400_000
        for text in ('{"n_nearest": ' + deep + "}", '{"metric": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}", deep,
                     '{"n_nearest": 1' + "0" * 100_000 + "}", '{"\x1b[31m": 1}', '{"metric": "\\u001b[31m"}'):
            (self.folder / "params.json").write_text(text)
            self.refused("link", "good.npy", "--params", "params.json", "-o", "out.npz")

    def test_records_nested_deeply(self):
        deep = "[" * 200_000 + "]" * 200_000
        for record in (deep, '{"metric": ' + deep + "}", '{"rows": 1e999}'):
            record_npy = npy("()", f"<U{len(record)}", record.encode("utf-32-le"))
            (self.folder / "links.npz").write_bytes(whole_npz(grouplink=record_npy))
            for arguments in (["verify", "good.npy", "links.npz"], ["inspect", "links.npz"],
                              ["convert", "links.npz", "out.jsonl", "--force"]):
                with self.subTest(record=record[:20], arguments=arguments):
                    done = self.run_(*arguments)
                    self.assertIn(done.returncode, (0, 1, 3), done.stderr[:500])

    def database(self, *statements):
        path = self.folder / "rows.db"
        path.unlink(missing_ok=True)
        database = sqlite3.connect(path)
        database.executescript("PRAGMA trusted_schema = ON; PRAGMA writable_schema = ON;")
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.close()

    def test_databases(self):
        rows = "CREATE TABLE embeddings (id TEXT, embedding BLOB, collection_id INTEGER)"
        loop = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, x'00' AS embedding FROM n"
        self.database(f"CREATE VIEW embeddings AS {loop}")
        self.refused("link", "rows.db", "-o", "out.npz")
        self.assertIn(self.run_("inspect", "rows.db").returncode, (0, 3))
        # A row whose embedding is made up as it is read.
        self.database("CREATE TABLE embeddings (id TEXT, embedding BLOB AS (zeroblob(1000000000)))",
                      "INSERT INTO embeddings (id) VALUES ('a')")
        self.refused("link", "rows.db", "-o", "out.npz")
        self.database(rows, "CREATE VIEW collections AS SELECT 1 AS id, 'x' AS name, 'y' AS model",
                      "CREATE TRIGGER t AFTER INSERT ON embeddings BEGIN DELETE FROM embeddings; END",
                      "INSERT INTO embeddings VALUES ('a', x'0000803f', 1)")
        self.refused("link", "rows.db", "-o", "out.npz")
        # The root of a table is a page of the schema, or past the end of the file.
        for page in (1, 2**31 - 1, 0, -5):
            self.database(rows, f"UPDATE sqlite_master SET rootpage = {page} WHERE name = 'embeddings'")
            self.refused("link", "rows.db", "-o", "out.npz")
        self.database(rows, "UPDATE sqlite_master SET sql = 'CREATE VIRTUAL TABLE embeddings USING nothing(1)'")
        self.refused("link", "rows.db", "-o", "out.npz")

    def test_names_in_sql_are_names(self):
        name = 'a"; DROP TABLE embeddings; --'
        quoted = name.replace('"', '""')
        blob = fixtures.VECTORS[0].tobytes().hex()
        self.database(f'CREATE TABLE embeddings (id TEXT, "{quoted}" TEXT, embedding BLOB)',
                      f"INSERT INTO embeddings VALUES ('x', 'g', x'{blob}')",
                      f"INSERT INTO embeddings VALUES ('y', 'g', x'{blob}')")
        for flag in ("--group", "--id"):
            arguments = ["link", "rows.db", flag, name, "-o", f"out{flag}.db"]
            arguments += ["--id", "id"] if flag == "--group" else ["--group", "id"]
            done = self.run_(*arguments, limited=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        database = sqlite3.connect(self.folder / "rows.db")
        self.assertEqual(database.execute("SELECT count(*) FROM embeddings").fetchone(), (2,))
        database.close()

    def test_names_on_a_terminal(self):
        evil = "\x1b]0;owned\x07\x1b[2J\u202e\u009b31m\r\n"
        lines = [json.dumps({evil: evil + str(i), "vector": row.tolist()})
                 for i, row in enumerate(fixtures.VECTORS)]
        (self.folder / "evil.jsonl").write_text("\n".join(lines) + "\n")
        for arguments in (["inspect", "evil.jsonl"], ["explain", "evil.jsonl", "--group", evil],
                          ["link", "evil.jsonl", "--group", evil, "--id", evil, "-o", "a.csv"],
                          ["link", "evil.jsonl", "--group", "nothing", "-o", "b.csv"],
                          ["link", "evil.jsonl", "--embedding", evil, "-o", "b.csv"],
                          ["link", evil, "-o", "b.csv"], ["link", "evil.jsonl", "-o", evil], [evil],
                          ["link", "good.npy", "-o", "x" + evil + "/b.npz"], ["inspect", "./" + evil + ".npy"],
                          ["verify", "evil.jsonl", "a.csv", "--group", evil, "--id", evil],
                          ["link", "good.npy", "--groups", evil + ".tsv:" + evil, "-o", "b.csv"],
                          ["link", "good.npy", "--metric", evil, "-o", "b.csv"]):
            with self.subTest(arguments=arguments):
                done = self.run_(*arguments, limited=False)
                self.clean(done)
                if done.returncode != 0:
                    self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)

    def test_names_on_the_page(self):
        evil = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\''
        lines = [json.dumps({"k": evil, "i": f"{evil}{i}", "vector": row.tolist()})
                 for i, row in enumerate(fixtures.VECTORS)]
        (self.folder / f"{evil.replace('/', '_')}.jsonl").write_text("\n".join(lines) + "\n")
        done = self.run_("link", f"./{evil.replace('/', '_')}.jsonl", "--group", "k", "--id", "i", "--text", "i",
                         "-o", "out.csv", "--report", "out.html", "--report", "out.json", limited=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        page = (self.folder / "out.html").read_text()
        for bad in ("<script>alert", "<img src=x", '"><'+"script"):
            self.assertNotIn(bad, page)
        self.assertNotIn("\u202e", page)
        json.loads((self.folder / "out.json").read_text())

    @unittest.skipUnless(PARQUET, "built without Parquet")
    def test_tables(self):
        import pyarrow as pa
        values = pa.array(np.ones(12, dtype=np.float32))
        for kind, width in ((pa.list_(pa.float32()), "<i4"), (pa.large_list(pa.float32()), "<i8")):
            offsets = [0, 4, 8, 12]
            column = pa.Array.from_buffers(kind, 3, [None, pa.py_buffer(np.array(offsets, width).tobytes())],
                                           children=[values])
            table = pa.record_batch([column], ["vector"])
            most = 2**31 - 1 if width == "<i4" else 2**62
            for bad in ([0, 8, 4, 12], [0, -4, 8, 12], [0, 4, 8, most], [4, 0, 8, 12], [0, 4, most, 12],
                        [-most, 4, 8, 12], [most, most, most, most]):
                for name, writer in (("bad.arrow", pa.ipc.new_file), ("bad.arrows", pa.ipc.new_stream)):
                    with writer(self.folder / name, table.schema) as out:
                        out.write_batch(table)
                    data = (self.folder / name).read_bytes()
                    self.assertEqual(data.count(np.array(offsets, width).tobytes()), 1)
                    data = data.replace(np.array(offsets, width).tobytes(), np.array(bad, width).tobytes())
                    (self.folder / name).write_bytes(data)
                    self.refused("link", name, "-o", "out.npz")
                    self.refused("inspect", name)
        table = pa.record_batch([pa.FixedSizeListArray.from_arrays(values, 4)], ["vector"])
        for name, writer in (("body.arrow", pa.ipc.new_file), ("body.arrows", pa.ipc.new_stream)):
            with writer(self.folder / name, table.schema) as out:
                out.write_batch(table)
            data = (self.folder / name).read_bytes()
            body = pa.ipc.read_message(table.serialize()).body.size.to_bytes(8, "little")
            for claimed in (2**33, 2**40, 2**62, -8):
                lie = claimed.to_bytes(8, "little", signed=True)
                (self.folder / name).write_bytes(data.replace(body, lie))
                self.refused("link", name, "--embedding", "vector", "-o", "out.npz")
                self.refused("inspect", name)
        good = pa.FixedSizeListArray.from_arrays(values, 4)
        words = pa.array(["a"])
        for indices in ([0, 1, 5], [0, -3, 0], [2**31 - 1, 0, 0]):
            encoded = pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), words, safe=False)
            table = pa.record_batch([encoded, good], ["k", "vector"])
            with pa.ipc.new_file(self.folder / "dictionary.arrow", table.schema) as out:
                out.write_batch(table)
            for flag in ("--group", "--id"):
                self.refused("link", "dictionary.arrow", flag, "k", "-o", "out.csv")


if __name__ == "__main__":
    COMMAND = str(pathlib.Path(sys.argv.pop(1)).resolve())
    sys.argv = [argument for argument in sys.argv if argument not in ("--parquet", "--no-limits")]
    unittest.main()
