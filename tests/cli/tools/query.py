"""query FILE.db SQL...: what each statement gives, a row a line."""

import sqlite3
import sys

database = sqlite3.connect(sys.argv[1])
for statement in sys.argv[2:]:
    for row in database.execute(statement):
        print(*row, sep="|")
database.commit()
