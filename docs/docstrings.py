"""How the site shows what it takes from the code: formulas and shapes."""

import ast
import html
import re

import griffe
from latex2mathml.converter import convert

FORMULA = re.compile(r":math:<code>(.*?)</code>")


def on_page_content(content: str, **_: object) -> str:
    """Make MathML, which browsers draw, of the formulas of a page, ``:math:`H` ``."""
    return FORMULA.sub(lambda found: convert(html.unescape(found[1])), content)


class Shapes(griffe.Extension):
    """Strings in annotations are shapes, as in ``Float[Tensor, "B *n"]``, not types."""

    def on_function_instance(
        self, *, node: ast.AST, func: griffe.Function, **_: object
    ) -> None:
        """Read the annotations of a function anew."""
        for arg in ast.walk(node.args):
            if isinstance(arg, ast.arg) and arg.annotation:
                annotation = _as_written(arg.annotation, func)
                func.parameters[arg.arg].annotation = annotation
        func.returns = _as_written(node.returns, func)


def _as_written(node: ast.AST, func: griffe.Function) -> griffe.Expr | str | None:
    return griffe.safe_get_expression(node, parent=func.parent, parse_strings=False)
