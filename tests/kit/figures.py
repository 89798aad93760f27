"""The table of figures in the summary of a test run.

A test notes one with `record_property("figure", (name, measured, limit, goal))`, which also reaches the summary from a
process of pytest-xdist.
"""


def figures_of(reporter) -> list[tuple]:
    """The figures that the tests of this run have noted."""
    reports = (report for outcome in ("passed", "failed") for report in reporter.stats.get(outcome, ()))
    return sorted(tuple(value) for report in reports for name, value in report.user_properties if name == "figure")


def write_table(reporter) -> None:
    """Write the figures, those beyond their goal marked with an arrow."""
    figures = figures_of(reporter)
    if not figures:
        return
    width = max(len(name) for name, *_ in figures)
    reporter.section("figures", sep="-")
    reporter.write_line(f"{'':{width}}  measured  limit  goal")
    for name, measured, limit, goal in figures:
        arrow = "  <-" if measured > goal else ""
        reporter.write_line(f"{name:{width}}  {measured:8}  {limit:5}  {goal:4}{arrow}")
