"""The annotated program that type checkers accept also runs."""
from typed_program import main


def test_the_annotated_program_learns():
    losses = main()
    assert len(losses) == 5 and losses[-1] < losses[0]
