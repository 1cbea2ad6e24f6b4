"""The C code of ``Philox``: what :mod:`keraflow.backend.philox` computes."""
import math

from keraflow.backend.philox import MULTIPLIERS, ROUNDS, WEYL

__all__ = ['CALLS', 'SUPPORT']

#: Blocks are computed side by side, in vector instructions. With fewer the compiler unrolls the loops over them first,
#: and then makes no such instructions: it takes five times as long.
_LANES = 32

#: What fills the output by kind: ``start`` has the key and the two halves of the counter.
CALLS = {'hits': 'philox_hits(start, n, threshold, out);',
         'reals': 'philox_reals(start, n, out);',
         'normals': 'if (philox_normals(start, n, out)) { PyErr_NoMemory(); %(fail)s }'}

SUPPORT = f'''
#define NB_WORD (4 * {_LANES})

static inline void philox_words(const npy_uint64* start, npy_uint64 block, npy_uint32* words) {{
    npy_uint32 c0[{_LANES}], c1[{_LANES}], c2[{_LANES}], c3[{_LANES}];
    npy_uint32 k0 = (npy_uint32) start[0], k1 = (npy_uint32) (start[0] >> 32);
    const npy_uint64 low = start[1] + block;
    for (int i = 0; i < {_LANES}; i++) {{
        c0[i] = (npy_uint32) (low + i);
        c1[i] = (npy_uint32) ((low + i) >> 32);
        c2[i] = (npy_uint32) start[2];
        c3[i] = (npy_uint32) (start[2] >> 32);
    }}
    for (int round = 0; round < {ROUNDS}; round++) {{
        for (int i = 0; i < {_LANES}; i++) {{
            const npy_uint64 p0 = (npy_uint64) c0[i] * {MULTIPLIERS[0]}u, p1 = (npy_uint64) c2[i] * {MULTIPLIERS[1]}u;
            c0[i] = (npy_uint32) (p1 >> 32) ^ c1[i] ^ k0;
            c1[i] = (npy_uint32) p1;
            c2[i] = (npy_uint32) (p0 >> 32) ^ c3[i] ^ k1;
            c3[i] = (npy_uint32) p0;
        }}
        k0 += {WEYL[0]}u;
        k1 += {WEYL[1]}u;
    }}
    for (int i = 0; i < {_LANES}; i++) {{
        words[4 * i] = c0[i];
        words[4 * i + 1] = c1[i];
        words[4 * i + 2] = c2[i];
        words[4 * i + 3] = c3[i];
    }}
}}

static void philox_hits(const npy_uint64* start, npy_intp n, npy_uint64 threshold, npy_bool* out) {{
    npy_uint32 words[NB_WORD];
    const npy_uint32 last = (npy_uint32) (threshold - 1);      // which is a word, as 2 ** 32 is not
    const npy_bool some = threshold > 0;
    for (npy_intp at = 0; at < n; at += NB_WORD) {{
        const npy_intp end = n - at < NB_WORD ? n - at : NB_WORD;
        philox_words(start, at / 4, words);
        for (npy_intp i = 0; i < end; i++)
            out[at + i] = some & (words[i] <= last);
    }}
}}

static void philox_reals(const npy_uint64* start, npy_intp n, npy_float32* out) {{
    npy_uint32 words[NB_WORD];
    for (npy_intp at = 0; at < n; at += NB_WORD) {{
        const npy_intp end = n - at < NB_WORD ? n - at : NB_WORD;
        philox_words(start, at / 4, words);
        for (npy_intp i = 0; i < end; i++) {{
            const npy_uint32 bits = words[i] >> 9 | 127u << 23;
            npy_float32 real;
            memcpy(&real, &bits, sizeof real);
            out[at + i] = real - 1.f;
        }}
    }}
}}

static void philox_reals(const npy_uint64* start, npy_intp n, npy_float64* out) {{
    npy_uint32 words[NB_WORD];
    for (npy_intp at = 0; at < n; at += NB_WORD / 2) {{
        const npy_intp end = n - at < NB_WORD / 2 ? n - at : NB_WORD / 2;
        philox_words(start, at / 2, words);
        for (npy_intp i = 0; i < end; i++) {{
            const npy_uint64 word = (npy_uint64) words[2 * i + 1] << 32 | words[2 * i];
            const npy_uint64 bits = word >> 12 | (npy_uint64) 1023 << 52;
            npy_float64 real;
            memcpy(&real, &bits, sizeof real);
            out[at + i] = real - 1.;
        }}
    }}
}}

template <typename real> static int philox_normals(const npy_uint64* start, npy_intp n, real* out) {{
    const npy_intp half = (n + 1) / 2;
    npy_float64* reals = (npy_float64*) malloc((half ? 2 * half : 1) * sizeof(npy_float64));
    if (!reals)
        return -1;
    philox_reals(start, 2 * half, reals);
    for (npy_intp i = 0; i < half; i++) {{
        const npy_float64 radius = sqrt(-2. * log(1. - reals[i])), angle = {2 * math.pi!r} * reals[half + i];
        out[i] = (real) (radius * cos(angle));
        if (half + i < n)
            out[half + i] = (real) (radius * sin(angle));
    }}
    free(reals);
    return 0;
}}
'''
