"""Mentions resolve to the fullest name that the article has."""

import time

import pytest

from stance.decoding import Candidates
from stance.names import Names, without_titles

TEXT = (
    "The Harbour Workers Union (HWU) met Dr Lena Ortiz on Monday. Ortiz spoke first. "
    "The HWU said it was content. Paul Reed and Mia Reed left. Reed did not speak."
)


def found(words, probability=0.9, none=0.05):
    start = TEXT.index(words)
    return Candidates(((start, start + len(words)),), (probability,), none)


def at(words):
    return TEXT.index(words), TEXT.index(words) + len(words)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("Dr Lena Ortiz", "Lena Ortiz"),
        ("General Igor Petrov’s", "Igor Petrov"),
        ("the spokesman", "the spokesman"),
        ("President", "President"),
        ("Prime Minister Lena Ortiz", "Lena Ortiz"),
        ("Deputy Chief Ortiz", "Ortiz"),
        ("The Justice Department", "Justice Department"),
        ("the Foreign Office", "Foreign Office"),
        ("Police Scotland", "Police Scotland"),
        ("General Motors", "General Motors"),
        ("Ortiz", "Ortiz"),
    ],
)
def test_titles_are_stripped_where_a_name_follows(form, name):
    assert without_titles(form) == name


def test_a_surname_stands_for_the_one_full_name_that_ends_with_it():
    assert Names(TEXT).fullest("Ortiz") == "Lena Ortiz"


def test_a_surname_that_two_people_share_stays():
    assert Names(TEXT).fullest("Reed") == "Reed"


def test_an_acronym_in_brackets_stands_for_the_words_before_it():
    assert Names(TEXT).fullest("HWU") == "Harbour Workers Union"


def test_words_that_stand_only_inside_a_name_with_an_acronym_mean_the_whole_name():
    names = Names("The Upper Vale Water Board (UVWB) met. A clerk of the Lower Vale Water Board left.")
    assert names.fullest("Vale Water Board") == "Vale Water Board"
    alone = Names("The Upper Vale Water Board (UVWB) met. The Board of the region did not.")
    assert alone.fullest("Vale Water Board") == "Upper Vale Water Board"


@pytest.mark.parametrize(
    ("name", "acronym", "end"),
    [
        ("Ministry of Economy, Trade and Industry", "METI", "Trade and Industry"),
        ("Reserve Officers’ Training Corps", "ROTC", "Training Corps"),
    ],
)
def test_marks_inside_a_name_do_not_keep_its_end_from_meaning_the_whole(name, acronym, end):
    assert Names(f"The {name} ({acronym}) spoke. It is the {name}.").fullest(end) == name


def test_an_end_that_stands_elsewhere_is_another_party():
    text = (
        "The Great Women's Rights Council (GWRC) spoke. Women's Rights Council left. So did the Women's Rights Council."
    )
    assert Names(text).fullest("Women's Rights Council") == "Women's Rights Council"


def test_an_acronym_is_short_for_the_one_name_with_its_initials():
    text = "But River Safety Board’s chief left. The RSB said so."
    assert Names(text).fullest("RSB") == "River Safety Board"
    assert Names(f"{text} The Rural Savings Bank closed.").fullest("RSB") == "RSB"


@pytest.mark.parametrize(
    ("text", "form", "name"),
    [
        ("The Ministry of Defence (MoD) spoke.", "MoD", "Ministry of Defence"),
        ("The Pharma Harbour Research Makers Association (PhRMA) spoke.", "PhRMA", "PhRMA"),
        ("The Port Inspectors of Dover (PIDove) spoke.", "PIDove", "Port Inspectors of Dover"),
        ("The Pharma Research Makers Association (PhRMA) spoke.", "PhRMA", "Pharma Research Makers Association"),
        ("ROME (Reuters) – The port reopened.", "Reuters", "Reuters"),
        ("Lena Brook (LeBrook) spoke.", "LeBrook", "LeBrook"),
    ],
)
def test_an_acronym_is_capitals_by_half_at_least(text, form, name):
    assert Names(text).fullest(form) == name


def test_a_mention_that_is_a_name_never_means_somebody_else():
    assert Names(TEXT).speaker(at("Ortiz"), found("Paul Reed")).name == "Lena Ortiz"


@pytest.mark.parametrize(
    ("full", "mention", "name"),
    [
        ("Vera Mukhasin", "Mukasin", "Vera Mukhasin"),
        ("Vera Mukhasin", "Ms Mukasin", "Vera Mukhasin"),
        ("Vera Mukhasin", "Morgan", "Morgan"),
        ("Vera Mukhasin", "Lukhasin", "Lukhasin"),
        ("Vera Brook", "Broook", "Vera Brook"),
        ("Vera Reed", "Reeds", "Reeds"),
        ("Western Australia", "Austria", "Austria"),
        ("Mukhasin", "Mukasin", "Mukasin"),
    ],
)
def test_a_surname_may_be_spelt_in_two_ways(full, mention, name):
    text = f"{full} spoke. {mention} sat down."
    at = len(full) + 8
    pointed = Candidates(((0, len(full)),), (0.9,), 0.05)
    assert Names(text).speaker((at, at + len(mention)), pointed).name == name


@pytest.mark.parametrize(
    ("others", "name"), [("Ann Johnson", "Ann Johnson"), ("Ann Johnson and Bob Johnson", "Johnson")]
)
def test_a_surname_that_somebody_bears_is_no_misspelling(others, name):
    text = f"Tom Johnston met {others}. Johnson spoke."
    start = text.rindex("Johnson")
    assert Names(text).speaker((start, start + 7), Candidates(((0, 12),), (0.9,), 0.05)).name == name


def test_people_of_a_kind_are_nobody_in_particular():
    text = "Many critics disagreed with Lena Ortiz."
    pointed = Candidates(((28, 38),), (0.9,), 0.05)
    assert Names(text).speaker((0, 12), pointed).name == "Many critics"


def test_a_role_with_an_article_is_whom_the_pointer_finds():
    text = "Lena Ortiz, the minister, left. The minister was tired."
    pointed = Candidates(((0, 10),), (0.9,), 0.05)
    assert Names(text).speaker((32, 44), pointed).name == "Lena Ortiz"


@pytest.mark.parametrize("mention", ["A lawmaker", "The Democrat"])
@pytest.mark.parametrize(("probability", "is_named"), [(0.3, True), (0.2, False)])
def test_who_is_described_may_be_named_elsewhere(mention, probability, is_named):
    text = f"{mention} left. Lena Ortiz was tired."
    start = text.index("Lena")
    pointed = Candidates(((start, start + 10),), (probability,), 0.05)
    assert Names(text).speaker((0, len(mention)), pointed).name == (
        "Lena Ortiz" if is_named else without_titles(mention)
    )


@pytest.mark.parametrize("mention", ["the late Paul Reed", "the late Paul Reed’s"])
def test_a_person_with_an_article_is_nobody_else(mention):
    text = f"Paul Reed left. Then {mention} dog met Lena Ortiz."
    start = text.index("Lena")
    pointed = Candidates(((start, start + 10), (0, 9)), (0.6, 0.3), 0.05)
    assert Names(text).speaker((21, 21 + len(mention)), pointed).name == "Paul Reed"


def test_who_is_described_stays_unnamed_where_the_pointer_rather_finds_nobody():
    text = "A resident left. Lena Ortiz was tired."
    pointed = Candidates(((17, 27),), (0.3,), 0.6)
    assert Names(text).speaker((0, 10), pointed).name == "A resident"


def test_a_resident_is_somebody_else_each_time():
    text = "A resident, Lena Ortiz, spoke. Later a resident left."
    names = Names(text)
    assert names.speaker((0, 10), Candidates(((12, 22),), (0.9,), 0.05)).name == "Lena Ortiz"
    assert names.speaker((37, 47), Candidates((), (), 0.97)).name == "a resident"


def test_a_member_who_is_described_is_no_person_by_that_name():
    text = "The Glasgow MP left. Lena Ortiz was tired."
    assert Names(text).speaker((0, 14), Candidates(((21, 31),), (0.9,), 0.05)).name == "Lena Ortiz"


@pytest.mark.parametrize(
    ("mention", "other"), [("Bill Brook", "Ada Brook"), ("U.S. officials", "Ukraine"), ("J. Smith", "Japan")]
)
def test_forms_that_share_a_surname_or_a_letter_are_two_parties(mention, other):
    text = f"{mention} met {other}."
    start = text.index(other, len(mention))
    pointed = Candidates(((start, start + len(other)),), (0.6,), 0.05)
    assert Names(text).speaker((0, len(mention)), pointed).name == mention


def test_institutions_are_not_told_by_what_they_share():
    text = "The State Department met. The Justice Department sued."
    party = Names(text).speaker((26, 48), Candidates(((26, 48),), (0.95,), 0.02))
    assert party.name == "Justice Department"


def test_a_name_is_found_in_a_longer_form_too():
    names = Names("Republican Jess Brook spoke. Jess Brook left. Brook slept.")
    assert names.fullest("Brook") == "Jess Brook"


@pytest.mark.parametrize("form", ["de Brook", "De Brook", "Brook"])
def test_a_surname_may_have_a_particle(form):
    assert Names("Bill de Brook left. De Brook slept. Mayor de Brook ate.").fullest(form) == "Bill de Brook"


def test_capitals_may_have_accents():
    assert Names("Émile Öcal left. Öcal slept.").fullest("Öcal") == "Émile Öcal"


def test_a_lord_chancellor_may_be_a_woman():
    text = "Lord Chancellor Liz Brook left. She slept."
    pointed = Candidates(((16, 25),), (0.9,), 0.05)
    assert Names(text).speaker((32, 35), pointed).name == "Liz Brook"


@pytest.mark.parametrize(("handle", "name"), [("@LenaOrtiz", "Lena Ortiz"), ("@PaulReed1", "@PaulReed1")])
def test_a_handle_is_written_like_the_name(handle, name):
    text = f"{handle} wrote. Lena Ortiz was tired."
    pointed = Candidates(((18, 28), (0, 10)), (0.6, 0.2), 0.05)
    assert Names(text).speaker((0, 10), pointed).name == name


def test_a_word_at_the_start_of_a_sentence_is_no_first_name():
    assert Names("But Ortiz left. Lena Ortiz came. Then Ortiz slept.").fullest("Ortiz") == "Lena Ortiz"


@pytest.mark.parametrize(
    "others", ["Earlier Mr Ortiz left.", "Treasury Secretary Lena Ortiz left.", "Secretary of State Lena Ortiz left."]
)
def test_words_before_a_title_are_no_first_names(others):
    assert Names(f"{others} Lena Ortiz came. Ortiz slept.").fullest("Ortiz") == "Lena Ortiz"
    assert Names(f"{others} Ortiz slept.").fullest("Ortiz") in {"Lena Ortiz", "Ortiz"}


@pytest.mark.parametrize(("longer", "name"), [("New Mexico", "Mexico"), ("The White House", "House")])
def test_a_part_of_a_place_is_another_place(longer, name):
    assert Names(f"{longer} agreed. {name} did not.").fullest(name) == name


def test_a_newspaper_is_called_by_its_last_word():
    assert Names("The New York Times wrote. The Times did not.").fullest("the Times") == "New York Times"


def test_the_pointer_decides_whom_a_pronoun_means():
    party = Names(TEXT).speaker(at("it"), found("HWU"))
    assert party.name == "Harbour Workers Union"
    assert TEXT[slice(*party.span)] == party.name


@pytest.mark.parametrize(("pronoun", "name"), [("She", "Mia Reed"), ("He", "Paul Reed"), ("They", "Paul Reed")])
def test_a_pronoun_means_nobody_whose_title_does_not_go_with_it(pronoun, name):
    text = f"Mr Paul Reed met Ms. Mia Reed. {pronoun} left."
    places = tuple((text.index(party), text.index(party) + len(party)) for party in ("Paul Reed", "Mia Reed"))
    start = text.index(pronoun)
    assert Names(text).speaker((start, start + len(pronoun)), Candidates(places, (0.5, 0.3), 0.05)).name == name


def test_nor_does_a_pronoun_whose_name_lies_before_the_window():
    text = "Mr Paul Reed spoke. She left. He stayed."
    names = Names(text)
    names.speaker((3, 12), Candidates(((3, 12),), (0.9,), 0.05))
    assert names.speaker((20, 23), Candidates((), (), 0.99)).name == "She"
    names = Names(text)
    names.speaker((3, 12), Candidates(((3, 12),), (0.9,), 0.05))
    assert names.speaker((30, 32), Candidates((), (), 0.99)).name == "Paul Reed"


@pytest.mark.parametrize(
    "text",
    [
        "Mr Paul Reed left. Mrs Paul Reed stayed. She slept.",
        "Mr. and Mrs. Paul Reed left. He slept.",
        "No, said a spokeswoman. Paul Reed agreed. He left.",
        "Fans will miss Paul Reed. He left.",
        "It was in Jackson, Miss. Paul Reed agreed. He left.",
        "Chairman Paul Reed left. She slept.",
    ],
)
def test_what_is_no_title_of_one_person_says_nothing(text):
    start = text.index("Paul Reed")
    pronoun = max(text.rfind("He "), text.rfind("She "))
    pointed = Candidates(((start, start + 9),), (0.9,), 0.05)
    assert Names(text).speaker((pronoun, text.index(" ", pronoun)), pointed).name == "Paul Reed"


def test_a_businesswoman_is_not_he():
    text = "Businesswoman Mia Reed left. He slept."
    assert Names(text).speaker((29, 31), Candidates(((0, 22),), (0.9,), 0.05)).name == "He"


@pytest.mark.parametrize("gap", ["\n", "\r\n", "\n    ", " \n", "  ", "\u00a0", " \u200b"])
def test_a_name_that_is_wrapped_or_spaced_is_the_same_as_elsewhere(gap):
    text = (
        f"The ferry hit the pier of the old harbour at\nnoon, and two were hurt, a woman named Lena{gap}"
        "Ortiz said. The owners, the Reed Lines of\nthe old harbour, did not speak. Ortiz left the\npier at once."
    )
    names = Names(text)
    first, surname = text.index("Lena"), text.rindex("Ortiz")
    places = ((first, text.index("Ortiz") + 5), (surname, surname + 5))
    party = names.speaker(places[1], Candidates(places, (0.5, 0.4), 0.05))
    assert (party.name, party.span, round(party.probability, 2)) == ("Lena Ortiz", places[0], 0.9)
    assert names.as_written(party) == f"Lena{gap}Ortiz"
    again = Names(f"{text} Lena Ortiz spoke.")
    assert again.as_written(again.speaker(places[0], Candidates(places[:1], (0.5,), 0.05))) == "Lena Ortiz"


def test_names_of_a_hostile_text_are_read_in_linear_time():
    text = "The Foo Bar Baz (FBB) met. " + "Mr Bar Baz. " * 40_000
    started = time.process_time()
    assert Names(text).fullest("FBB") == "Foo Bar Baz"
    assert time.process_time() - started < 5  # quadratic time would be half a minute


def test_probability_is_summed_over_the_places_where_a_party_is_named():
    first, second = at("Lena Ortiz"), (TEXT.index("Ortiz spoke"), TEXT.index("Ortiz spoke") + 5)
    reed = at("Paul Reed")
    candidates = Candidates((reed, first, second), (0.4, 0.3, 0.25), 0.05)
    party = Names(TEXT).speaker(at("it"), candidates)
    assert (party.name, round(party.probability, 2)) == ("Lena Ortiz", 0.55)


def test_a_mention_whose_name_lies_before_the_window_keeps_its_party():
    names = Names(TEXT)
    names.speaker(at("Ortiz"), found("Lena Ortiz"))
    assert names.speaker(at("it"), Candidates((), (), 0.99)).name == "Lena Ortiz"


def test_a_pronoun_whose_name_lies_before_the_window_is_who_spoke_last():
    names = Names("Mr Reed lied. He left. Mr Ortiz came. He slept.")
    names.speaker((14, 16), Candidates(((3, 7),), (0.9,), 0.05))
    assert names.speaker((23, 31), Candidates(((26, 31),), (0.9,), 0.05)).name == "Ortiz"
    assert names.speaker((38, 40), Candidates((), (), 0.99)).name == "Ortiz"


def test_a_party_that_is_never_named_is_called_by_its_mention():
    text = "A senior official denied it."
    party = Names(text).speaker((0, 17), Candidates((), (), 0.99))
    assert party.name == "A senior official"


def test_nobody_is_accused_where_nobody_is_much_likelier():
    assert Names(TEXT).accused(found("Paul Reed", probability=0.1, none=0.9), None) is None
    assert Names(TEXT).accused(found("Paul Reed", probability=0.3, none=0.6), None).name == "Paul Reed"


def test_nobody_is_accused_where_the_pointer_finds_nobody():
    assert Names(TEXT).accused(Candidates((), (), 1.0), None) is None


def test_nobody_accuses_themselves():
    names = Names(TEXT)
    reed = names.accused(found("Paul Reed", probability=0.9, none=0.1), None)
    assert reed.name == "Paul Reed"
    assert names.accused(found("Paul Reed", probability=0.9, none=0.1), reed) is None


def test_the_accused_whose_name_lies_outside_the_window_is_the_one_accused_before():
    names = Names(TEXT)
    names.accused(found("Paul Reed", probability=0.6, none=0.3), None)
    assert names.accused(Candidates((), (), 1.0), None).name == "Paul Reed"
