"""Damage to the bytes of a file, for tests that search at random."""


def damaged(rng, data):
    """The bytes after one to four accidents: changed, lost, doubled, added, or a number near its limits."""
    data = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice([1, 1, 1, 2, 4, 8, 40]))
        data[start:end] = rng.choice([
            b'', bytes(rng.randrange(256) for _ in range(end - start)), data[start:end] * 2, rng.randbytes(3),
            rng.choice([b'\0', b'\xff']) * (end - start), rng.choice([b'[', b'{', b'"', b'0', b'-1', b'9' * 20, b'1e999'])])
    return bytes(data)
