"""Inputs that are not there: how Snakemake is told to look.

A job removes its files before it makes them again, and may be stopped in between. What
was made of them before then looks up to date to Snakemake, which makes missing files
only for jobs that run for another reason. A parameter that changes is one; if its
function names ``input`` Snakemake takes it for derived and does not compare it, so that
the Snakefile asks for everything (``**known``).
"""

from os.path import exists


class Missing(list[str]):
    """Files of which those that are not there, at the moment of asking, are the value.

    Snakemake compares the text of a parameter, when it plans, with that of the job that
    was finished last, when all of its inputs were there.
    """

    def __repr__(self) -> str:
        return repr([file for file in self if not exists(file)])
