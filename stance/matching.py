"""What a prediction gets right about each labelled sentence: which one it answers, and whether its names fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from stance.document import AUTHOR, Label

Words = tuple[str, ...]
"""A name in lower case, without possessives, punctuation and titles."""
Said = str | Mapping[str, Any] | None
"""The speaker of a sentence as a labelled set writes it: ``author``, an object, or nothing."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PRONOUNS = _words(
    "i me my we us our you your he him his she her hers they them their it its this that who one some others many"
)
TITLES = _words(
    "the a an mr mrs ms miss dr sir lord lady us u s american british russian republican democratic democrat "
    "former president vice prime minister chancellor secretary governor gov mayor commissioner king queen prince "
    "senator sen congressman congresswoman representative rep judge justice professor prof "
    "general gen lieutenant lt colonel col major maj captain capt sergeant sgt officer detective inspector "
    "director chairman chairwoman chief spokesman spokeswoman spokesperson reverend rev father pastor bishop pope"
)
_UNINITIALLED = _words("of the and for in on")
_POSSESSIVE = re.compile(r"[’']s\b")
_WORD = re.compile(r"\w+")


def normalise(name: str | None) -> Words:
    """Reduce a name to the words that identify its bearer.

    Args:
        name: A name as it stands in an article; None counts as empty.

    Returns:
        Its lower-case words without possessives, punctuation and leading titles; the last word always stays.

    Example:
        >>> normalise("Gen. Igor Konashenkov's")
        ('igor', 'konashenkov')

    """
    words = _WORD.findall(_POSSESSIVE.sub("", (name or "").lower()))
    first = next((at for at, word in enumerate(words) if word not in TITLES), len(words) - 1)
    return tuple(words[max(first, 0) :])


def related(one: Words, other: Words) -> bool:
    """Tell whether one name is the other, its first words, its last words or its acronym.

    Args:
        one: A normalised name.
        other: Another.

    Returns:
        False also where either is empty.

    Example:
        >>> related(("cjtf",), ("combined", "joint", "task", "force"))
        True

    """
    if not one or not other:
        return False
    short, long = sorted((one, other), key=len)
    if short in (long[: len(short)], long[-len(short) :]):
        return True
    # A single letter is no acronym: too many names share it.
    return len(short) == 1 < len(long) and len(short[0]) > 1 and short[0] == _acronym(long)


@dataclass(frozen=True, slots=True)
class Parties:
    """The sources of one labelled article.

    Args:
        aliases: Every form that counts as the name of a source, by the name that the labels give it.

    Example:
        >>> said = {"name": "Ann Lee", "mention": {"start": 0, "end": 7}}
        >>> parties = Parties.of({"text": "Ann Lee spoke.", "sentences": [{"label": "assertion", "speaker": said}]})
        >>> parties.same("Lee", "Ann Lee"), parties.same("she", "Ann Lee")
        (True, False)

    """

    aliases: Mapping[str, set[Words]]

    @classmethod
    def of(cls, article: Mapping[str, Any]) -> Parties:
        """Gather the sources of an article in the labelled-set format."""
        aliases: dict[str, set[Words]] = {}
        for sentence in article["sentences"]:
            speaker = sentence.get("speaker")
            if isinstance(speaker, Mapping):
                aliases.setdefault(speaker["name"], set()).update(_forms(speaker, article["text"]))
        return cls(aliases)

    def same(self, predicted: str, name: str) -> bool:
        """Tell whether a predicted name denotes the party that the labels call ``name``.

        Args:
            predicted: The name to judge.
            name: The name of one of the labelled sources.

        Returns:
            True for an alias of that party, and for a shorter or longer form that could be no other party's.

        """
        words = normalise(predicted)
        if words in self.aliases[name]:
            return True
        fitting = {party for party, forms in self.aliases.items() if any(related(words, form) for form in forms)}
        return fitting == {name}


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled sentence beside its prediction, which answers it by overlapping it most.

    Args:
        article: The id of its article.
        index: Its index among the labelled sentences.
        text: The sentence itself.
        gold: The label that a person gave.
        predicted: The predicted label; none where no predicted sentence overlaps.
        confidence: The predicted probability of the label, if stated.
        speaker_confidence: The predicted probability of the speaker, if stated.
        gold_speaker: The name that a person gave, ``author``, or None for the label none.
        predicted_speaker: The predicted name, likewise.
        by_source: Whether the right speaker is a source.
        speaker_right: Whether the predicted speaker is right; None for the label none.
        mention_right: Whether the predicted mention overlaps the right one; None where there is none to find.
        target_right: Whether the predicted target is the accused; None where there is none to find.

    """

    article: str
    index: int
    text: str
    gold: Label
    predicted: Label
    confidence: float | None
    speaker_confidence: float | None
    gold_speaker: str | None
    predicted_speaker: str | None
    by_source: bool
    speaker_right: bool | None
    mention_right: bool | None
    target_right: bool | None


def judge(gold: Mapping[str, Any], predicted: Mapping[str, Any]) -> Iterator[Judged]:
    """Compare the prediction for an article with its labels.

    Args:
        gold: An article in the labelled-set format.
        predicted: The same article with predicted sentences, whose boundaries may differ.

    Yields:
        Every labelled sentence in order, judged.

    Raises:
        KeyError, TypeError, ValueError: If the prediction is no article in the labelled-set format.

    """
    text, parties = gold["text"], Parties.of(gold)
    for index, right in enumerate(gold["sentences"]):
        guess = closest(right, predicted["sentences"])
        said, guessed = right.get("speaker"), guess.get("speaker")
        yield Judged(
            article=gold["id"],
            index=index,
            text=text[right["start"] : right["end"]],
            gold=Label(right["label"]),
            predicted=Label(guess["label"]),
            confidence=_probability(guess.get("confidence")),
            speaker_confidence=_probability(guess.get("speaker_confidence")),
            gold_speaker=_name(said),
            predicted_speaker=_name(guessed),
            by_source=isinstance(said, Mapping),
            speaker_right=_speaker_right(right, guessed, parties),
            mention_right=_mention_right(said, guessed),
            target_right=_target_right(right.get("target"), guess.get("target"), text),
        )


def _acronym(words: Words) -> str:
    return "".join(word[0] for word in words if word not in _UNINITIALLED)


def _forms(speaker: Mapping[str, Any], text: str) -> Iterator[Words]:
    name = normalise(speaker["name"])
    yield name
    for other in speaker.get("also", ()):
        yield normalise(other)
    if mention := speaker.get("mention"):
        words = normalise(text[mention["start"] : mention["end"]])
        # "He" or "the spokesman" is the party here and perhaps somebody else elsewhere, so it is no alias.
        shares_a_word = any(len(word) > 2 and word in name for word in words)
        if not PRONOUNS.issuperset(words) and (shares_a_word or related(words, name)):
            yield words


def closest(right: Mapping[str, Any], guesses: list[dict[str, Any]]) -> Mapping[str, Any]:
    """Return the predicted sentence that overlaps a labelled one most; a bare ``none`` where there is none."""
    best = max(guesses, key=lambda guess: _overlap(right, guess), default=None)
    return best if best and _overlap(right, best) > 0 else {"label": "none"}


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """Count the characters that two spans share; zero or less where they are apart."""
    return int(min(one["end"], other["end"]) - max(one["start"], other["start"]))


def _probability(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, Real):
        return float(value)
    raise TypeError(f"a probability is a number, not {value!r}")


def _name(speaker: Said) -> str | None:
    if isinstance(speaker, Mapping):
        return str(speaker["name"])
    if speaker in (None, AUTHOR):
        return speaker
    raise ValueError(f"a speaker is 'author' or an object, not {speaker!r}")


def _speaker_right(right: Mapping[str, Any], guessed: Said, parties: Parties) -> bool | None:
    if right["label"] == Label.NONE:
        return None
    name = guessed["name"] if isinstance(guessed, Mapping) else None
    if isinstance(right["speaker"], Mapping):
        return name is not None and parties.same(name, right["speaker"]["name"])
    # Where author and source are equally right, "speaker_also" holds the source.
    return guessed == AUTHOR or related(normalise(name), normalise(right.get("speaker_also")))


def _mention_right(said: Said, guessed: Said) -> bool | None:
    if not isinstance(said, Mapping) or not said.get("mention"):
        return None
    mention = guessed.get("mention") if isinstance(guessed, Mapping) else None
    return mention is not None and _overlap(said["mention"], mention) > 0


def _target_right(accused: Mapping[str, int] | None, guessed: Mapping[str, int] | None, text: str) -> bool | None:
    if not accused:
        return None
    if not guessed:
        return False
    names = (normalise(text[span["start"] : span["end"]]) for span in (accused, guessed))
    return _overlap(accused, guessed) > 0 or related(*names)
