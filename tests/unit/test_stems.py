"""Stems of words, which several threads look up at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import snowballstemmer

from atlas.language.offline.questions.tokenizer import stem


def test_threads_that_stem_at_once_get_the_stems_of_their_own_words() -> None:
    words = [f"{first}{last}{end}" for first in "bcdfglmnprst" for last in ("ar", "ent", "ill", "on")
             for end in ("ing", "ations", "ibly", "ness", "fully", "ers")]  # fmt: skip
    alone = snowballstemmer.stemmer("english")
    expected = {word: alone.stemWord(word) for word in words}
    stem.cache_clear()
    with ThreadPoolExecutor(8) as threads:
        for _ in range(3):
            found = threads.map(lambda word: (word, stem.__wrapped__(word)), words * 8, chunksize=7)
            assert all(expected[word] == got for word, got in found)
