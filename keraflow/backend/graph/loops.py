"""Loops over time: one operation, whose gradient is another loop, from the last step to the first.

The body of a loop is a graph of its own, made once. The body of the gradient's loop is made from it by the rules of all
gradients, and takes what it needs of each step from arrays that the first loop keeps. So gradients of any order are
loops, too. The gradient of a matrix that all steps multiply with is one product after the loop.
"""
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

from keraflow.backend.draws import in_step
from keraflow.backend.graph.gradients import pulled_back, total_of
from keraflow.backend.graph.nodes import Known, Node, Operation, apply, is_constant, known_of, ordered
from keraflow.backend.graph.program import Program
from keraflow.backend.graph.slopes import SLOPES_OF_LISTS
from keraflow.backend.graph.variables import Variables

__all__ = ['Body', 'Recurrence']

Pair = Tuple[Known, Known]


class Body:
    """What a loop does in each step.

    Parameters
    ----------
    time : Node
        The number of the step.
    slices, before : list of Node
        What stands for the slices of sequences, and for the states before the step. They may be made by the step of
        another loop: what they were made from is not looked at.
    after, collected : list of Node
        The states after the step, and what the loop returns for each step.
    is_reversed : bool
        Whether the last step is the first to run.
    outside : iterable of Node
        What is known to be the same in all steps: what it was made from is not looked at.

    Attributes
    ----------
    captured : list of Node
        What a step uses that is the same in all of them.
    """

    def __init__(self, time: Node, slices: Sequence[Node], before: Sequence[Node], after: Sequence[Node],
                 collected: Iterable[Node], is_reversed: bool, outside: Iterable[Node]):
        self.time, self.slices, self.before = time, list(slices), list(before)
        self.after, self.is_reversed = list(after), is_reversed
        # Numbers by node: nodes are never looked for in a list, for == may be an operation.
        self.collected = {node: number for number, node in enumerate(dict.fromkeys(collected))}
        self.own = {time, *slices, *before}
        self.inside, self.captured = _inside_of([*after, *collected], self.own, outside)
        #: Of the loop's node, by number: the nodes of its results.
        self.items: Dict[int, Node] = {}
        self._program: Optional[Program] = None

    def leaves(self) -> List[Node]:
        """Return what the graph of a step begins with."""
        return [self.time, *self.slices, *self.before, *self.captured]

    def divided(self, arrays: Sequence[Any]) -> Tuple[List[Any], List[Any], List[Any]]:
        """Return the sequences, the states and what is captured among the operands of the loop."""
        first, last = len(self.slices), len(self.slices) + len(self.before)
        return list(arrays[:first]), list(arrays[first:last]), list(arrays[last:])

    def collect(self, node: Node) -> int:
        """Let the loop return the values of a node of the step, too; return its number among the collected."""
        if node not in self.collected:
            self.collected[node] = len(self.collected)
            self._program = None
        return self.collected[node]

    def note_items(self) -> None:
        """Count the results of inner loops to the step, which may keep more for gradients than before."""
        for node in list(self.inside):
            if node.operation is LOOP:
                self.inside.update(node.static['body'].items.values())

    def note_conditions(self, roots: Iterable[Node]) -> None:
        """Count conditions that follow from the step alone to it: they take less memory than what they compare."""
        for node in ordered(roots, self.inside):
            if node not in self.inside and any(x in self.inside for x in node.inputs) and all(
                    x in self.inside or is_constant(x) for x in node.inputs) and node.dtype == 'bool':
                self.inside.add(node)

    def program(self) -> Program:
        """Return the function of one step."""
        if self._program is None:
            self._program = Program(self.time.graph, self.leaves(), [*self.after, *self.collected])
        return self._program


def _inside_of(roots: Iterable[Node], own: Set[Node], outside: Iterable[Node]) -> Tuple[Set[Node], List[Node]]:
    """Return the nodes of a step that differ between steps, and the others that these use or that it returns."""
    inside, captured = set(own), {}      # type: Set[Node], Dict[Node, None]
    for node in ordered(roots, own.union(outside)):
        if node not in own and any(x in inside for x in node.inputs):
            inside.add(node)
            captured.update(dict.fromkeys(x for x in node.inputs if x not in inside))
    captured.update(dict.fromkeys(node for node in roots if node not in inside))
    return inside, [node for node in captured if not is_constant(node)]


# -- the operation ----------------------------------------------------------------------------------------------------

LOOP = Operation('loop', lambda *operands, body: [], is_view=True)


def looped(body: Body, sequences: Sequence[Node], states: Sequence[Node]) -> Node:
    """Return the node of a loop."""
    node = states[0].graph.node(LOOP, [*sequences, *states, *body.captured], {'body': body}, ([], []))
    for i, known in enumerate(node.known):
        known += [Known(x.known[i].shape, x.dtype) for x in body.before]
        known += [_over_time(node, i, x) for x in body.collected]
    return node


def _over_time(node: Node, i: int, x: Node) -> Known:
    return Known((node.inputs[0].known[i].shape[0], *x.known[i].shape), x.dtype)


def state_of(node: Node, number: int) -> Node:
    """Return a state after the last step of a loop."""
    items = node.static['body'].items
    if number not in items:
        items[number] = apply('item', [node], number=number)
    return items[number]


def collected_of(node: Node, x: Node) -> Node:
    """Return the values that a node of its body has in the steps of a loop, which keeps them from now on."""
    body = node.static['body']
    sequences = dict(zip(body.slices, node.inputs))
    if x in sequences:
        return sequences[x]
    number = len(body.before) + body.collect(x)
    for i, known in enumerate(node.known):
        if len(known) == number:
            known.append(_over_time(node, i, x))
    return state_of(node, number)


# -- its gradient -----------------------------------------------------------------------------------------------------

def slopes_of_loop(node: Node, slopes: Dict[int, Node], needed: Sequence[bool]) -> List[List[Node]]:
    """Return the gradients of the operands of a loop, from those of its results: a loop in the other direction.

    Its states are the gradients of the states, and of what all steps use where that is no product.
    """
    body, nb_state = node.static['body'], len(node.static['body'].before)
    initial = node.inputs[len(body.slices):][:nb_state]
    real = {x: number for number, x in enumerate(body.before) if x.dtype.startswith('float')}
    gradients = {x: _stand_in(x) for x in real}
    outputs = {x: (_stand_in(x), slopes[nb_state + number]) for x, number in body.collected.items()
               if nb_state + number in slopes}
    operands = [*body.slices, *body.before, *body.captured]
    wanted = [x for x, one in zip(operands, needed) if one and x not in real]
    found = pulled_back([*((body.after[number], gradients[x]) for x, number in real.items()),
                         *((x, g) for x, (g, _) in outputs.items())], [*wanted, *real], body.leaves())
    body.note_items()
    back, slices = _Backwards(node), set(body.slices)
    for x, g in gradients.items():
        total = total_of(x, found.get(x, ()))
        back.carry(g, apply('broadcast_like', [0, g]) if total is None else total,
                   slopes[real[x]] if real[x] in slopes else apply('broadcast_like', [0, initial[real[x]]]))
    for x in wanted:
        back.want(x, found.get(x, []), x in slices)
    made = back.made(list(outputs.values()))
    made.update({x: [state_of(back.node, place)] for place, x in enumerate(real)})
    return [made.get(x, []) if one else [] for x, one in zip(operands, needed)]


SLOPES_OF_LISTS['loop'] = slopes_of_loop


def _stand_in(x: Node) -> Node:
    """Return a node like another one, which a run is given."""
    first, second = (Known(one.shape, one.dtype) for one in x.known)
    return x.graph.node(None, (), {}, (first, first if first == second else second))


class _Backwards:
    """The loop in the other direction, while its body is put together."""

    node: Node

    def __init__(self, node: Node):
        self._forward = node
        self._body = node.static['body']
        self._carried: List[Tuple[Node, Node, Node]] = []      # before and after a step, and before the first
        self._collected: Dict[Node, None] = {}
        self._finish: List[Tuple[Node, Callable]] = []

    def carry(self, before: Node, after: Node, initial: Node) -> None:
        """Add a state."""
        self._carried.append((before, after, initial))

    def want(self, x: Node, parts: Sequence[Node], is_slice: bool) -> None:
        """Add the gradient of a sequence, or of what all steps use, by what is to be added in each step."""
        if is_slice:
            total = total_of(x, parts)
            if total is not None:
                self._collect(x, lambda of: of(total), total)
            return
        others = []
        for g in parts:
            if g.operation is not None and g.operation.name == 'transposed_dot':
                self._collect(x, lambda of, g=g: apply('transposed_dot', list(map(of, g.inputs))), *g.inputs)
            elif g.operation is not None and g.operation.name == 'sum_to_like' and g.inputs[1] is x:
                self._collect(x, lambda of, g=g: apply('sum_to_like', [of(g.inputs[0]), x]), g.inputs[0])
            else:
                others.append(g)
        total = total_of(x, others)
        if total is not None:
            before = _stand_in(x)
            number = len(self._carried)
            self.carry(before, apply('add', [before, total]), apply('broadcast_like', [0, x]))
            self._finish.append((x, lambda of: state_of(self.node, number)))

    def _collect(self, x: Node, finish: Callable, *nodes: Node) -> None:
        """Let the loop keep nodes, from which the gradient of `x` is computed after it."""
        self._collected.update((one, None) for one in nodes if one not in self._body.inside)
        self._finish.append((x, finish))

    def made(self, outputs: Sequence[Tuple[Node, Node]]) -> Dict[Node, List[Node]]:
        """Make the loop, and return what is to be added to the gradients that are wanted.

        `outputs` are what stands for the gradient of a step's output, and the gradient for all steps.
        """
        body = self._body
        before, after, initial = ([one[i] for one in self._carried] for i in range(3))
        roots = [*after, *self._collected]
        body.note_conditions(roots)
        used = [x for x in ordered(roots, body.inside) if x in body.inside and x is not body.time]
        sequences = {x: collected_of(self._forward, x) for x in [body.slices[0], *used]}
        sequences.update(outputs)
        back = Body(body.time, list(sequences), before, after, self._collected, not body.is_reversed,
                    body.captured)
        self.node = looped(back, list(sequences.values()), initial)

        def of(x: Node) -> Node:
            return collected_of(self._forward if x in body.inside else self.node, x)
        made: Dict[Node, List[Node]] = {}
        for x, finish in self._finish:
            made.setdefault(x, []).append(finish(of))
        return made


class Recurrence(Variables):
    """Loops whose step is a graph."""

    def loop(self, step: Any, sequences: Sequence, states: Sequence, constants: Sequence = (),
             collect: bool = True) -> tuple:
        sequences, states, constants = [[x if self.is_tensor(x) else self.constant(x) for x in some]
                                        for some in (sequences, states, constants)]
        graph = sequences[0].graph
        time = graph.node(None, (), {}, known_of((), 'int64'))
        length = self.static_shape(sequences[0])[0]
        slices = [graph.node(None, (), {}, _without_time(x)) for x in sequences]
        before = [_stand_in(x) for x in states]
        with in_step(time, self.shape(sequences[0])[0] if length is None else length):
            after = [_as_before(self, x, old) for x, old in zip(step(slices, before, constants), before)]
        body = Body(time, slices, before, after, after[:1] if collect else (), False, [*sequences, *states, *constants])
        node = looped(body, sequences, states)
        return collected_of(node, after[0]) if collect else None, [state_of(node, i) for i in range(len(states))]


def _as_before(backend: Any, x: Any, old: Node) -> Node:
    """Give a state the dtype and the shape that it had before the step."""
    x = backend.cast(x, old.dtype)
    return x if x.shape == old.shape else apply('broadcast_like', [x, old])


def _without_time(x: Node) -> Pair:
    first, second = (Known(one.shape[1:], one.dtype) for one in x.known)
    return first, first if first == second else second
