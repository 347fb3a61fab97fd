"""Mentions to parties: which name each mention stands for, across the whole article.

The network points at a name within its window. What reaches farther, and what rules do better, is done here: surnames,
other spellings of them, handles, acronyms, names with acronyms that were cut short, pronouns whose name lies before the
window, that "she" is no Mr, and that a person's name stands for nobody with another, while "a lawmaker" may.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import dropwhile

from stance.decoding import Candidates
from stance.lines import unwrap
from stance.spelling import PlainText

PRONOUNS = frozenset(
    "i me my mine we us our ours you your yours he him his she her hers it its they them their theirs who whom".split()
)
_GENDER_OF_PRONOUN = dict.fromkeys("he him his".split(), "male") | dict.fromkeys("she her hers".split(), "female")
# A chairman or a spokesman may be a woman.
_WOMEN = "spokeswoman chairwoman congresswoman councilwoman businesswoman actress"
# Only these have a full stop: "said a spokeswoman. Paul Reed" are two sentences.
_GENDER_OF_TITLE = {
    **dict.fromkeys("Mr Mr. Sir Lord".split(), "male"),
    **dict.fromkeys("Mrs Mrs. Ms Ms. Miss Dame Lady Baroness".split(), "female"),
    **dict.fromkeys(f"{_WOMEN} {_WOMEN.title()}".split(), "female"),
}
_DEFINITE = frozenset("the this that these those his her their its my our your both".split())
_ARTICLES = frozenset("a an the".split())
_PARTICLES = frozenset("de da di al el van von der bin".split())
_SMALL = frozenset("of the and for in on at by to with from s".split())
_TITLES = frozenset(
    "mr mrs ms miss dr sir lord lady dame president vice prime minister gen general lt lieutenant col colonel maj "
    "major capt captain sgt sergeant sen senator rep representative congressman congresswoman gov governor judge "
    "justice prof professor secretary mayor commissioner king queen prince princess chancellor director chairman "
    "chairwoman detective inspector spokesman spokeswoman spokesperson reverend rev father pastor bishop pope "
    "attorney former officer the a an deputy chief police foreign defence defense first rt hon cllr councillor "
    "coach insp supt det cpl pm mp mep msp ceo cfo vp speaker sheriff actor actress singer lawyer historian ambassador "
    "agent justices magistrate writer author editor".split()
) | {title.lower() for title in _GENDER_OF_TITLE}
# Titles only before another one: the Foreign Office and Police Scotland are no people.
_PARTS_OF_TITLES = frozenset("vice prime first foreign defence defense police deputy".split())
# What stands before a name, although it may be something else alone: "the Democrat".
_OWN_TITLES = (_TITLES - _PARTS_OF_TITLES - _ARTICLES) | frozenset("deputy state republican democrat".split())
_INSTITUTIONS = frozenset(
    "department ministry office council court assembly secretariat service committee motors electric mills dynamics "
    "hospital".split()
)
# Capitalised at the start of a sentence without being part of a name.
_STARTERS = frozenset(
    "a after all also although an and as at because before but by during even for from he her his how however if in it "
    "its last later many meanwhile most my no not now on one our she since so some still that their then there they "
    "this those though to under until we what when where which while who why with yet you your monday tuesday "
    "wednesday thursday friday saturday sunday".split()
)
# New Mexico is not Mexico in full, nor Northern Ireland Ireland.
_PARTS_OF_PLACES = frozenset("New North South East West Northern Southern Eastern Western Central White".split())
# In training, the accused is often out of sight of the window; but in one allegation of sixty only, it is nobody.
_NOBODY = 0.2
# Whether "a lawmaker" is named elsewhere, the pointer tells from here on; measured, see docs/experiments.md.
_LIKELY = 0.25
# Two spellings of one surname share this part of their letters at least, and differ in length by one at most.
_ALIKE = 0.8
_SHORTEST, _LONGEST = 5, 30
_CAPITAL = "[A-ZÀ-ÖØ-Þ]"
_WORD = rf"(?:{_CAPITAL}\.|{_CAPITAL}[\w’'\-]*)"
_PERSON = re.compile(rf"(?<![\w’'\-]){_WORD}(?: (?:(?:{'|'.join(sorted(_PARTICLES))}) )*{_WORD})+")
_TITLE = "|".join(map(re.escape, _GENDER_OF_TITLE))
_TITLED = re.compile(rf"(?<![\w’'\-])(Mr\.? (?:and|&) )?({_TITLE}) ({_WORD}(?: {_WORD}){{0,2}})")
_IN_BRACKETS = re.compile(r"\(([A-Z][A-Za-z&.]{1,9})\)")
_ACRONYM = re.compile(r"\b[A-Z]{3,6}\b")
_INSTITUTION = re.compile(rf"(?<![\w’'\-]){_WORD}(?: (?:(?:of|the|and|for|in|on|to|with) )*{_WORD}){{2,}}")
_POSSESSIVE = re.compile(r"[’']s?$")
_GAP = re.compile(r"[\s—–/-]+")
_MARKS = ".,;:!?…()[]\"“”‘’'"


@dataclass(frozen=True, slots=True)
class Party:
    """The party a pointer means.

    Args:
        name: The fullest form by which the article names it.
        span: One place where that form stands.
        probability: How likely the network finds it.

    """

    name: str
    span: tuple[int, int]
    probability: float


class Names:
    """The names of one article.

    Args:
        text: The article.

    """

    def __init__(self, text: str) -> None:
        self._written = text
        # A line break that only wraps a text is a space between the words of a name.
        self._plain = PlainText(unwrap(text))
        text = self._plain.text
        acronyms = _acronyms(text)
        self._bearers = _bearers(text)
        only = [name for names in self._bearers.values() if len(names) == 1 for name in names]
        surnames = {form: name for name in only for form in _surnames(name)}
        self._full = surnames | _initials(text) | acronyms
        endings = {end: name for name in acronyms.values() for end in _ends(name)}
        counts = _count_phrases(text, {*endings, *endings.values()})
        # Cut short, unless another party is called so.
        self._whole = {end: name for end, name in endings.items() if counts[end] == counts[name]}
        # Both are asked for the same names sentence by sentence.
        self._called: dict[str, str] = {}
        self._places: dict[str, int] = {}
        self._spellings: dict[str, str] = {}
        self._genders = self._read_genders()
        self._last_meant: dict[str, Party] = {}
        self._last: Party | None = None
        self._last_accused: Party | None = None

    def fullest(self, form: str) -> str:
        """Return the fullest form by which the article names who is called ``form``."""
        if form not in self._called:
            bare = without_titles(form)
            self._called[form] = self._whole.get(bare) or self._full.get(bare, bare)
        return self._called[form]

    def as_written(self, party: Party) -> str:
        """Return the name of a party as it stands in the article, which may nowhere spell it plainly."""
        if party.name not in self._spellings:
            own = self._written[slice(*party.span)]
            self._spellings[party.name] = party.name if own == party.name or party.name in self._written else own
        return self._spellings[party.name]

    def speaker(self, mention: tuple[int, int], name: Candidates) -> Party:
        """Resolve the speaker of a sentence; call it sentence by sentence, in order.

        Args:
            mention: Where the speaker is mentioned.
            name: What the name pointer found.

        Returns:
            The party.

        """
        words = self._words(mention)
        refers = _refers(words)
        party = self._pointed_at(name, akin_to=None if refers else words, gender=_GENDER_OF_PRONOUN.get(words.lower()))
        if not refers and self._describes(words):
            named = self._pointed_at(name)
            party = named if named is not None and named.probability >= max(_LIKELY, name.none) else party
        if party is None or (refers and name.none > party.probability):
            party = self._from_before(words, mention, name.none)
        self._last_meant[words.lower()] = self._last = party
        return party

    def accused(self, target: Candidates, accuser: Party | None) -> Party | None:
        """Resolve the target of an allegation; call it allegation by allegation, in order.

        Args:
            target: What the target pointer found.
            accuser: Whose allegation it is, None for the author: nobody accuses themselves.

        Returns:
            The party: the one accused before, if the name lies outside the window; None if nobody can be identified.

        """
        own = None if accuser is None else accuser.name
        party = self._pointed_at(target, except_for=own)
        if party is None or _NOBODY * target.none > party.probability:
            before = self._last_accused
            party = None if before is None or before.name == own else before
        self._last_accused = party or self._last_accused
        return party

    def _from_before(self, words: str, mention: tuple[int, int], probability: float) -> Party:
        """Resolve a mention whose name lies outside the window."""
        form = words.lower()
        # "He" is who spoke last, "the spokesman" who was called so before, and "a resident" somebody else each time.
        known = self._last if form in PRONOUNS else self._last_meant.get(form)
        if form.startswith(("a ", "an ")):
            known = None
        if known is not None and self._may_be(known.name, _GENDER_OF_PRONOUN.get(form)):
            return Party(known.name, known.span, probability)
        return self._party(words, mention, probability)

    def _read_genders(self) -> dict[str, str]:
        """Map each name that stands behind a title somewhere to the gender of who bears it, if titles agree."""
        genders: dict[str, set[str]] = defaultdict(set)
        for couple, title, name in set(_TITLED.findall(self._plain.text)):
            # A Lord Chancellor may be a woman.
            if name.split(" ", maxsplit=1)[0].lower() in _TITLES:
                continue
            genders[self.fullest(name)] |= {"male", "female"} if couple else {_GENDER_OF_TITLE[title]}
        return {name: own.pop() for name, own in genders.items() if len(own) == 1}

    def _may_be(self, name: str, gender: str | None) -> bool:
        """Tell whether no title speaks against it that a name is of somebody of that gender."""
        return gender is None or self._genders.get(name, gender) == gender

    def _pointed_at(
        self,
        candidates: Candidates,
        akin_to: str | None = None,
        gender: str | None = None,
        except_for: str | None = None,
    ) -> Party | None:
        """Sum the probability of each party over all the places where it is named.

        ``akin_to`` is a mention that names somebody or a kind of people ("Mr Brown", "many critics"): only names that
        have something in common with it count. For a pronoun, only those count whose title goes with its gender.
        """
        total: dict[str, float] = defaultdict(float)
        place: dict[str, tuple[int, int]] = {}
        for span, probability in zip(candidates.spans, candidates.probabilities, strict=True):
            name = self.fullest(self._words(span))
            is_possible = name != except_for and self._may_be(name, gender)
            if is_possible and (akin_to is None or self._akin(akin_to, name)):
                total[name] += probability
                place.setdefault(name, span)
        if not total:
            return None
        best = max(total, key=lambda name: total[name])
        return self._party(self._words(place[best]), place[best], total[best])

    def _describes(self, words: str) -> bool:
        """Tell whether words with an article are no person's name: "a lawmaker", "the Glasgow MP", "the Times"."""
        article, _, others = words.partition(" ")
        return (
            article.lower() in _ARTICLES
            and _POSSESSIVE.sub("", others).rsplit(" ", maxsplit=1)[-1] not in self._bearers
        )

    def _akin(self, form: str, name: str) -> bool:
        """Tell whether two forms share a word, one is the other's initials or handle, or they are spelt otherwise."""
        full = self.fullest(form)
        if self._are_namesakes(full, name):
            return False
        words = [_content_words(party) for party in (form, name)]
        initials = {"".join(word[0] for word in own) for own in words}
        # A single letter, as in U.S., is no initials.
        one, other = ({word for word in own if len(word) > 1} for own in words)
        if one & other or initials & (one | other) or form.lower().removeprefix("@") == re.sub(r"\W", "", name.lower()):
            return True
        return full == name or self._is_misspelt(full, name)

    def _are_namesakes(self, one: str, other: str) -> bool:
        """Tell whether two full names share no more than the surname: Bill and Hillary Clinton."""
        surname = one.rsplit(" ", maxsplit=1)[-1]
        shared = {*one.split(" ")} & {*other.split(" ")}
        return {one, other} <= self._bearers.get(surname, set()) and shared == {surname}

    def _is_misspelt(self, surname: str, name: str) -> bool:
        """Tell whether a surname that no full name ends with is nearly that of a full name."""
        last = name.rsplit(" ", maxsplit=1)[-1]
        if surname in self._bearers or " " in surname or name not in self._bearers.get(last, ()):
            return False
        shorter, longer = sorted((len(surname), len(last)))
        if surname[0] != last[0] or shorter < _SHORTEST or longer > min(shorter + 1, _LONGEST):
            return False
        return SequenceMatcher(None, surname, last).ratio() >= _ALIKE

    def _party(self, form: str, span: tuple[int, int], probability: float) -> Party:
        name = self.fullest(form)
        start = self._plain.text.find(name, *self._plain.here(span))
        if start < 0:
            if name not in self._places:
                self._places[name] = self._plain.text.find(name)
            start = self._places[name]
        return Party(name, self._plain.there((start, start + len(name))), probability)

    def _words(self, span: tuple[int, int]) -> str:
        """Read a span of the article in plain spelling."""
        return self._plain.text[slice(*self._plain.here(span))]


def _refers(mention: str) -> bool:
    """Tell whether a mention names nobody itself, but refers to somebody: a pronoun, or a role with an article."""
    words = mention.lower().split()
    is_role = words[:1] != [] and words[0] in _DEFINITE and mention.rsplit(maxsplit=1)[-1].islower()
    return set(words) <= PRONOUNS or is_role or set(words) <= _TITLES


def _content_words(form: str) -> list[str]:
    words = re.findall(r"[^\W_]+", form.lower())
    return [word for word in words if word not in _TITLES and word not in _SMALL] or words


def without_titles(form: str) -> str:
    """Strip leading titles and a possessive ending from a name that goes on without them.

    Example:
        >>> without_titles("General Igor Konashenkov")
        'Igor Konashenkov'

    """
    words = (_POSSESSIVE.sub("", form) or form).split(" ")
    kept = [*dropwhile(lambda word: word.strip(".").lower() in _TITLES, words[:-1]), words[-1]]
    before = words[: -len(kept)]
    if before and (before[-1].lower() in _PARTS_OF_TITLES or kept[0].lower() in _INSTITUTIONS):
        # The Foreign Office and the Justice Department lose no more than the article.
        kept = [*dropwhile(lambda word: word.lower() in _ARTICLES, words)]
    # "the spokesman" has no name behind its title.
    if not kept[0][:1].isupper() or (len(kept) == 1 and kept[0].lower() in _TITLES):
        kept = words
    return " ".join(kept)


def _bearers(text: str) -> dict[str, set[str]]:
    """Map each surname to the full names that end with it."""
    full: dict[str, set[str]] = defaultdict(set)
    for match in _PERSON.finditer(text):
        name = without_titles(" ".join(_behind_titles(match.group().split(" "))))
        words = name.split(" ")
        names_nobody = {word.lower() for word in words[:-1]} <= _TITLES | _PARTICLES
        is_place = len(words) == 2 and words[0] in _PARTS_OF_PLACES
        if 2 <= len(words) <= 4 and words[-1].lower() not in _TITLES and not names_nobody and not is_place:
            full[words[-1]].add(name)
    # "Labour's Jess Phillips" is Jess Phillips, where she is called so too.
    return {surname: {name for name in names if names.isdisjoint(_ends(name))} for surname, names in full.items()}


def _behind_titles(words: list[str]) -> list[str]:
    """Drop what stands before a person's name: "Earlier Mr Kennedy", "Treasury Secretary Jacob Lew"."""
    named = [*dropwhile(lambda word: word.lower() in _STARTERS, words)]
    titles = [number for number, word in enumerate(named[:-1]) if word in _GENDER_OF_TITLE]
    # Behind other titles only two words are a name: not in Kent State University.
    titles += [number for number, word in enumerate(named[:-2]) if word.strip(".").lower() in _OWN_TITLES]
    return named[max(titles) + 1 :] if titles else named


def _surnames(name: str) -> list[str]:
    """List the surname of a full name, with and without its particles: Blasio, de Blasio, De Blasio."""
    words = name.split(" ")
    last = " ".join(dropwhile(lambda word: word not in _PARTICLES, words)) or words[-1]
    return [words[-1], last, last[0].upper() + last[1:]]


def _initials(text: str) -> dict[str, str]:
    """Map each acronym of three letters or more to the one name that has these initials."""
    acronyms = set(_ACRONYM.findall(text))
    full: dict[str, set[str]] = defaultdict(set)
    for match in _INSTITUTION.finditer(text):
        words = match.group().split(" ")
        capitals = [number for number, word in enumerate(words) if word[0].isupper()]
        for size in range(3, 7):
            for own in zip(*(capitals[offset:] for offset in range(size)), strict=False):
                initials = "".join(words[number][0] for number in own)
                if initials in acronyms:
                    full[initials].add(_POSSESSIVE.sub("", " ".join(words[own[0] : own[-1] + 1])))
    return {acronym: names.pop() for acronym, names in full.items() if len(names) == 1}


def _acronyms(text: str) -> dict[str, str]:
    """Map each acronym in brackets to the words before it that it abbreviates."""
    found = {}
    for match in _IN_BRACKETS.finditer(text):
        letters = [letter for letter in match.group(1) if letter.isupper()]
        # "(Reuters)" is a word, "(MoD)" is not.
        if len(letters) < 2 or 2 * len(letters) < sum(map(str.isalpha, match.group(1))):
            continue
        before = text[max(0, match.start() - 100) : match.start()]
        words = before.split()
        for size in range(len(letters), min(len(words), len(letters) + 3) + 1):
            initials = [word[0] for word in words[-size:] if word[0].isupper()]
            expansion = " ".join(words[-size:])
            if initials == letters and words[-size][0].isupper() and expansion in before:
                found[match.group(1)] = expansion
                break
    return found


def _ends(name: str) -> list[str]:
    """List each end of a name that has two words or more and begins with a capital."""
    words = name.split(" ")
    return [" ".join(words[first:]) for first in range(1, len(words) - 1) if words[first][0].isupper()]


def _count_phrases(text: str, phrases: Collection[str]) -> dict[str, int]:
    """Count how often each of some phrases stands in a text, in one pass, whatever marks are between its words."""
    wanted = {phrase: _bare_words(phrase) for phrase in phrases}
    sizes: dict[str, set[int]] = defaultdict(set)
    for own in wanted.values():
        sizes[own[0]].add(len(own))
    words = _bare_words(text) if sizes else ()
    counts = Counter(words[first : first + size] for first, word in enumerate(words) for size in sizes.get(word, ()))
    return {phrase: counts[own] for phrase, own in wanted.items()}


def _bare_words(text: str) -> tuple[str, ...]:
    return tuple(_POSSESSIVE.sub("", word.strip(_MARKS)) for word in _GAP.split(text))
