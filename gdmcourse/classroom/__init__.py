"""A class: what many students handed in, graded side by side into one gradebook, and what is made of it.

``grading`` judges one submission; this room collects submissions, sends them to workers, keeps what came back
and writes it for students, teachers and learning platforms. It is a line as well: `collect` the files →
`grade_class` by `work` on a `cluster` → `gradebook` → `standing` → `feedback`, `export`, `overview`, `items`.
"""
