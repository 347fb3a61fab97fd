"""Labelled articles of any text, for property tests of what reads and writes them."""

from itertools import pairwise

from hypothesis import strategies as st

from stance.document import LABELS

ANY = st.characters()
WHOLE = st.characters(exclude_categories=["Cs"])  # what a UTF-8 file can hold
CELLS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


@st.composite
def articles(draw, alphabet=ANY, has_also=True, has_mentions=False):
    """Draw an article whose sentences, evidence and names stand anywhere in its text."""
    text = draw(st.text(alphabet, min_size=1, max_size=60))

    def span():
        start = draw(st.integers(0, len(text) - 1))
        return {"start": start, "end": draw(st.integers(start + 1, len(text)))}

    def words():
        place = span()
        return text[place["start"] : place["end"]]

    def sentence(start, end):
        label = str(draw(st.sampled_from(LABELS)))
        record = {"start": start, "end": end, "label": label}
        if label != "none" and draw(st.booleans()):
            mention = span() if has_mentions or draw(st.booleans()) else None
            record["speaker"] = {"name": words(), "mention": mention}
            if has_also and draw(st.booleans()):
                record["speaker"]["also"] = [words()]
        elif label != "none":
            record["speaker"] = "author"
        if label == "allegation":
            record["target"] = span() if draw(st.booleans()) else None
        if draw(st.booleans()):
            record["cue"] = span()
        return record

    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    sentences = [sentence(*cut) for cut in pairwise(cuts) if draw(st.booleans())]
    identifier = draw(st.text(alphabet, min_size=1, max_size=20))
    return {"id": identifier, "text": text, "sentences": sentences}
