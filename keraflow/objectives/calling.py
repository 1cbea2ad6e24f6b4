"""Call objectives of the program: find out which argument is the prediction, and which the target."""
import inspect
from typing import Any, Callable, Dict, Optional, Tuple

from keraflow.arguments import takes
from keraflow.errors import ArgumentTypeError, warn

__all__ = ['call_objective', 'function_of', 'tell_order']

#: Common names of arguments, with the canonical one.
_ROLES = {
    **dict.fromkeys(('y_true', 'true', 'truth', 'y', 't', 'target', 'targets', 'label', 'labels', 'y_target',
                     'y_label', 'y_labels', 'wanted', 'expected', 'actual', 'actuals', 'ground_truth', 'gt', 'gold',
                     'real', 'reference', 'references', 'observed'), 'y_true'),
    **dict.fromkeys(('y_pred', 'pred', 'preds', 'predicted', 'prediction', 'predictions', 'y_hat', 'yhat',
                     'y_prediction', 'y_predicted', 'y_out', 'y_output', 'p', 'output', 'outputs', 'out', 'found',
                     'guess', 'estimate', 'estimated', 'estimates', 'logits', 'scores', 'probs', 'probabilities',
                     'forecast', 'fitted'), 'y_pred')}


def call_objective(function: Callable, y_pred: Any, y_true: Any, *others: Any) -> Any:
    """Call an objective, or :meth:`Metric.counts`, with a prediction and a target.

    Arguments called ``y_pred`` and ``y_true`` get these; if there are none, a pair of common names for the two counts
    as well. The remaining arguments are passed in the order of this function's own.

    Raises
    ------
    ArgumentTypeError
        If the function takes other arguments.

    Examples
    --------
    >>> call_objective(lambda y_true, y_pred: f'{y_pred} for {y_true}', 'prediction', 'target')
    'prediction for target'
    >>> call_objective(lambda labels, outputs: f'{outputs} for {labels}', 'prediction', 'target')
    'prediction for target'
    >>> call_objective(lambda a, b: f'{a} for {b}', 'prediction', 'target')
    'prediction for target'
    """
    parameters, roles = _parameters(function)
    values = {'y_pred': y_pred, 'y_true': y_true}
    named = {name: values[role] for name, role in roles.items()}
    left = [*(value for role, value in values.items() if role not in roles.values()), *others]
    args, kwargs, by_position = [], {}, True
    for name, one in parameters.items():
        # After an argument that gets nothing, the others go by name.
        by_position = by_position and one.kind is not one.KEYWORD_ONLY and (name in named or bool(left))
        if by_position:
            args.append(named[name] if name in named else left.pop(0))
        elif name in named:
            kwargs[name] = named[name]
    if not takes(function, *args, *left, **kwargs):
        names = ', '.join(['y_pred', 'y_true', *(['weights'] if others else [])])
        raise ArgumentTypeError(f'{getattr(function, "__name__", type(function).__name__)}: expected a function that '
                                f'is called with ({names}), received one with other arguments.')
    return function(*args, *left, **kwargs)


def function_of(objective: Any) -> Any:
    """Return the function that an objective is, or that a ``functools.partial`` of one calls.

    What keraflow knows of an objective, such as the target it takes, is an attribute of that function.
    """
    return getattr(objective, 'func', objective)


def tell_order(function: Any, where: str) -> None:
    """Warn if the names of a function's arguments do not say which is the target, so that it goes by position."""
    parameters, roles = _parameters(function)
    if not roles and takes(function, None, None):       # others are refused when called
        names = ', '.join(parameters) or 'no names'
        warn(f'{where}: {getattr(function, "__name__", type(function).__name__)}: expected arguments called y_pred and '
             f'y_true, in any order, received {names}: the prediction is passed first, and then the target. Call them '
             'y_pred and y_true.')


def _parameters(function: Callable) -> Tuple[Dict[str, inspect.Parameter], Dict[str, str]]:
    """Return the arguments of a function by name, and the roles of some.

    The roles are its own if its names tell them, else those of the function that it wraps.
    """
    own: Optional[Dict[str, inspect.Parameter]] = None
    # A decorator's own names come first; those of the function it wraps, if they say nothing.
    for follows in (False, True):
        try:
            listed = inspect.signature(function, follow_wrapped=follows).parameters.values()
        except (TypeError, ValueError):     # some built-in functions have no signature
            continue
        found = {one.name: one for one in listed if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
        roles = _roles(found)
        if roles:
            return found, roles
        own = found if own is None else own
    return own or {}, {}


def _roles(parameters: Dict[str, inspect.Parameter]) -> Dict[str, str]:
    """Return the arguments whose names say whether they are the prediction or the target."""
    exact: Dict[str, str] = {name: name for name in ('y_pred', 'y_true') if name in parameters}
    if exact:
        return exact
    common = {name: _ROLES[name.lower()] for name, one in parameters.items()
              if one.default is one.empty and name.lower() in _ROLES}
    return common if sorted(common.values()) == ['y_pred', 'y_true'] else {}
