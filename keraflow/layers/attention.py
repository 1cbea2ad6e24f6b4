"""Attention: each step of a sequence attends to all steps of another, or of itself."""
import math
from typing import Any, List, Optional, Sequence, Tuple

from keraflow import backend as B
from keraflow import initializations, shapes
from keraflow.errors import GraphError, ShapeError
from keraflow.layers.base import MultiInputLayer
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.masks import LOWEST, joint_mask
from keraflow.layers.base.planned import ParameterSpec, ParameterSpecs
from keraflow.registry import builtin
from keraflow.schema import Initialization, PositiveInt, Rate
from keraflow.shapes import Shape

__all__ = ['MultiHeadAttention']


@builtin('layer')
class MultiHeadAttention(MultiInputLayer):
    """Scaled dot-product attention with several heads.

    With ``q = query @ W_q + b_q``, ``k = key @ W_k + b_k`` and ``v = value @ W_v + b_v``, each split into `nb_head`
    parts of length `head_dim`, each head computes ``softmax(q @ transpose(k) / sqrt(head_dim)) @ v``. The output is the
    concatenated heads ``@ W_o + b_o``.

    A single input is query, key and value (self-attention). Of ``[query, key]`` the key is also the value; otherwise
    pass ``[query, key, value]``. Steps masked in the key or the value are ignored; a step that may attend to none gets
    ``b_o``. The output has the mask of the query.

    Parameters
    ----------
    nb_head : int
        Number of heads.
    head_dim : int
        Length of the query, key and value vectors of a head.
    output_dim : int, optional
        By default that of the query.
    drop_rate : float
        Probability of dropping each attention weight in training.
    causal : bool
        Whether a step attends only to itself and earlier steps.
    init : str or function
        Initialization of the matrices.
    bias : bool
        Whether to add the biases `b_q`, `b_k`, `b_v` and `b_o`.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    query : ``(batch, time, query_dim)``
    key, value : ``(batch, other time, key_dim)``, ``(batch, other time, value_dim)``
    output : ``(batch, time, output_dim)``
    W_q, W_k, W_v : ``(query_dim, nb_head * head_dim)``, and so on
    W_o : ``(nb_head * head_dim, output_dim)``
    b_q, b_k, b_v : ``(nb_head * head_dim,)``
    b_o : ``(output_dim,)``

    Raises
    ------
    GraphError
        For more than three inputs.
    ShapeError
        If an input is not 3-D, its last length is unknown, or key and value differ in time.

    References
    ----------
    .. [1] A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez, L. Kaiser and I. Polosukhin,
       "Attention is all you need", NIPS, 2017.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> x, memory = Input((5, 8)), Input((None, 6))
    >>> MultiHeadAttention(2, 4, causal=True)(x).shape
    (None, 5, 8)
    >>> MultiHeadAttention(2, 4, output_dim=3)([x, memory]).shape
    (None, 5, 3)
    """

    input_spec = InputSpec(('batch', 'time', 'input_dim'), known=(2,))
    W_q: Any
    W_k: Any
    W_v: Any
    W_o: Any
    b_q: Any = None
    b_k: Any = None
    b_v: Any = None
    b_o: Any = None

    def __init__(self, nb_head: PositiveInt, head_dim: PositiveInt, output_dim: Optional[PositiveInt] = None,
                 drop_rate: Rate = 0., causal: bool = False, init: Initialization = 'glorot_uniform', bias: bool = True,
                 **kwargs: Any):
        super().__init__(**kwargs)
        self.nb_head = nb_head
        self.head_dim = head_dim
        self.output_dim = output_dim
        self.drop_rate = drop_rate
        self.causal = causal
        self.init = initializations.get(init)
        self.bias = bias

    def check_input_shape(self, input_shape: List[Shape]) -> None:
        if len(input_shape) > 3:
            raise GraphError(f'{self.name}: expected one to three inputs, received {len(input_shape)}. '
                             'Pass [query, key, value].')
        _, key, value = _roles(input_shape)
        if not shapes.agree(key[:2], value[:2]):
            raise ShapeError(f'{self.name}: expected key and value of one time, received {key} and {value}.')
        if 'W_q' in self._parameters:
            dims = tuple(shape[2] for shape in _roles(input_shape))
            wanted = tuple(B.static_shape(W)[0] for W in (self.W_q, self.W_k, self.W_v))
            if dims != wanted:
                raise ShapeError(f'{self.name}: expected query, key and value with input_dim {wanted}, received '
                                 f'{dims}. The layer was built for those; make another layer for these.')

    def param_specs(self, input_shape: List[Shape]) -> ParameterSpecs:
        inner, specs = self.nb_head * self.head_dim, {}
        dims = [(shape[2], inner) for shape in _roles(input_shape)] + [(inner, self.output_shape(input_shape)[2])]
        for role, shape in zip('qkvo', dims):
            specs[f'W_{role}'] = ParameterSpec(shape, self.init)
            if self.bias:
                specs[f'b_{role}'] = ParameterSpec(shape[1:])
        return specs

    def output(self, x: List[Any], *, mask: Sequence[Any] = ()) -> Any:
        query, key, value = _roles(x)
        q, k, v = (self._split(self._project(role, one)) for role, one in zip('qkv', (query, key, value)))
        scores = B.matmul(q, B.transpose(k, [0, 1, 3, 2])) * (1. / math.sqrt(self.head_dim))
        # Which keys count is said by the masks of key and value; a single input is all three.
        heads = B.transpose(B.matmul(self._weights(scores, joint_mask(mask[1:] or mask)), v), [0, 2, 1, 3])
        return self._project('o', B.reshape(heads, [-1, B.shape(query)[1], self.nb_head * self.head_dim]))

    def output_mask(self, input_mask: List[Any], input_shape: List[Shape]) -> Any:
        return input_mask[0]

    def _project(self, role: str, x: Any) -> Any:
        y = B.dot(x, getattr(self, f'W_{role}'))
        return y + getattr(self, f'b_{role}') if self.bias else y

    def _split(self, x: Any) -> Any:
        """Reshape (batch, time, nb_head * head_dim) to (batch, nb_head, time, head_dim)."""
        return B.transpose(B.reshape(x, [-1, B.shape(x)[1], self.nb_head, self.head_dim]), [0, 2, 1, 3])

    def _weights(self, scores: Any, mask: Any) -> Any:
        """Return the attention weights of each step (last axis but one) over the other steps (last axis)."""
        seen = None if mask is None else B.expand_dims(B.expand_dims(mask, 1), 1)
        if self.causal:
            lengths = B.shape(scores)
            past = B.less_equal(B.expand_dims(B.arange(lengths[3]), 0), B.expand_dims(B.arange(lengths[2]), 1))
            seen = past if seen is None else B.logical_and(seen, past)
        if seen is None:
            weights = B.softmax(scores)
        else:
            # Where no step is visible, all scores are equally low, and the softmax alone would weight them equally.
            weights = B.where(seen, B.softmax(B.where(seen, scores, LOWEST)), 0.)
        return B.in_train_phase(lambda: B.dropout(weights, self.drop_rate), weights) if self.drop_rate else weights

    def output_shape(self, input_shape: List[Shape]) -> Shape:
        query = input_shape[0]
        return (query[0], query[1], self.output_dim or query[2])


def _roles(inputs: List[Any]) -> Tuple[Any, Any, Any]:
    """Return query, key and value, given one to three inputs."""
    return inputs[0], inputs[min(1, len(inputs) - 1)], inputs[-1]
