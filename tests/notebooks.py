"""Notebooks, run cell by cell as a kernel would, without one."""

import ast
import json


def cells_of(path):
    """Code of the cells of a notebook, and the tags of each."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    return [("".join(c["source"]), c["metadata"].get("tags", [])) for c in code]


def run_notebook(path, /, **parameters):
    """Variables that a notebook leaves, and what its cells end with.

    Args:
        path: The notebook.
        parameters: Assigned after the cell of that tag.
    """
    names, shown = {"__name__": "__main__"}, []
    for number, (text, tags) in enumerate(cells_of(path)):
        where, tree = f"{path.name}, cell {number}", ast.parse(text)
        last = tree.body[-1] if tree.body else None
        silent = text.rstrip().endswith(";") or not isinstance(last, ast.Expr)
        if not silent:
            tree.body.pop()
        exec(compile(tree, where, "exec"), names)
        if not silent:
            value = ast.Expression(last.value)
            shown.append(eval(compile(value, where, "eval"), names))
            shown = [one for one in shown if one is not None]
        if "parameters" in tags:
            assert parameters.keys() <= names.keys()
            names.update(parameters)
    return names, shown
