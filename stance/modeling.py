"""The network: one encoder pass over a window, and a few small heads that read sentences and point at words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from stance.document import LABELS, Label
from stance.settings import Settings
from stance.windows import N_SURFACES

TAGS = ("source", "cue", "content")
EVIDENCED = (Label.DENIAL, Label.ALLEGATION)
"""The labels that a few words show."""

_FARTHEST = 12
_MASKED = -1e4


class StanceConfig(PretrainedConfig):
    """What a Stance model is made of.

    Args:
        encoder: Configuration of the encoder, as ``AutoConfig`` writes it.
        settings: The inference settings, see ``stance.settings.Settings``.
        pointer_size: Width of the pointers' queries and keys.
        head_dropout: Dropout on sentence vectors in training.

    """

    model_type = "stance"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        pointer_size: int = 128,
        head_dropout: float = 0.1,
        **kwargs: Any,  # noqa: ANN401  # what every configuration of transformers takes
    ) -> None:
        self.encoder = encoder or {}
        self.settings = settings or {**asdict(Settings())}
        self.pointer_size = pointer_size
        self.head_dropout = head_dropout
        super().__init__(**kwargs)


@dataclass(frozen=True)
class StanceOutput:
    """Everything one pass computes. B windows, S sentences, T tokens.

    Args:
        label_logits: (B, S, 4), in the order of ``LABELS``.
        mention_logits: Start and end of the words that name the speaker, (B, S, 2, T); position 0 is the author.
        name_logits: Start and end of that party's name, (B, S, 2, T); position 0: not in this window.
        target_logits: Start and end of the accused's name, (B, S, 2, T); position 0: not in this window.
        tag_logits: Attribution tags of each token, (B, T, 3), in the order of ``TAGS``.
        evidence_logits: Whether each token shows a denial or an allegation, (B, T, 2), in the order of ``EVIDENCED``.
        antecedent_logits: Start and end of the names of the mentions asked for, (B, M, 2, T); None if none were.

    """

    label_logits: Tensor
    mention_logits: Tensor
    name_logits: Tensor
    target_logits: Tensor
    tag_logits: Tensor
    evidence_logits: Tensor
    antecedent_logits: Tensor | None = None


class Pointer(nn.Module):
    """Points from a query to the first and last token of a span (Vinyals et al., 2015).

    Args:
        query_size: Width of the queries.
        hidden_size: Width of the encoder.
        size: Width in which queries and keys are compared.

    """

    def __init__(self, query_size: int, hidden_size: int, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_size, 2 * size)
        self.key = nn.Linear(hidden_size, 2 * size)
        # How far, in sentences, a token lies from the query's sentence.
        self.distance = nn.Embedding(2 * _FARTHEST + 1, 2)

    def forward(self, query: Tensor, sentence: Tensor, hidden: Tensor, inside: Tensor, mask: Tensor) -> Tensor:
        """Score every token.

        Args:
            query: (B, Q, query_size).
            sentence: Each query's sentence, (B, Q).
            hidden: (B, T, hidden_size).
            inside: 1 where a token belongs to a sentence, (B, S, T).
            mask: True for tokens, False for padding, (B, T).

        Returns:
            Logits of start and end, (B, Q, 2, T).

        """
        size = self.key.out_features // 2
        queries = self.query(query).unflatten(-1, (2, size))
        keys = self.key(hidden).unflatten(-1, (2, size))
        logits = torch.einsum("bqsd,btsd->bqst", queries, keys) / size**0.5
        others = torch.arange(inside.size(1), device=sentence.device)
        distance = (others - sentence[..., None]).clamp(-_FARTHEST, _FARTHEST) + _FARTHEST
        logits = logits.float() + torch.einsum("bqsk,bst->bqkt", self.distance(distance), inside)
        masked: Tensor = logits.masked_fill(~mask[:, None, None, :], _MASKED)
        return masked


class StanceModel(PreTrainedModel):
    """An encoder with heads for labels and their evidence, speaker mentions, names, targets and attribution tags.

    Example:
        >>> from transformers import BertConfig
        >>> tiny = BertConfig(hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24)
        >>> model = StanceModel(StanceConfig(encoder=tiny.to_dict(), pointer_size=8))
        >>> model.config.model_type
        'stance'

    """

    config_class = StanceConfig
    base_model_prefix = "encoder"
    _supports_sdpa = True
    _supports_attention_backend = True

    def __init__(self, config: StanceConfig) -> None:
        super().__init__(config)
        encoder_config = AutoConfig.for_model(**config.encoder)
        hidden = encoder_config.hidden_size
        # Pooling layers of BERT-like encoders would be dead weight.
        pooler = {"add_pooling_layer": False} if encoder_config.model_type in {"bert", "roberta"} else {}
        self.encoder = AutoModel.from_config(encoder_config, **pooler)
        self.surface = nn.Embedding(N_SURFACES, self.encoder.get_input_embeddings().embedding_dim)
        self.pooling = nn.Linear(hidden, 2)
        self.evidence = nn.Linear(hidden, len(EVIDENCED))
        self.sentence = nn.Linear((3 + len(EVIDENCED)) * hidden, hidden)
        self.context = nn.MultiheadAttention(hidden, 4, batch_first=True)
        self.norm = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(config.head_dropout)
        self.label = nn.Linear(hidden + len(EVIDENCED), len(LABELS))
        self.mention = Pointer(hidden, hidden, config.pointer_size)
        self.name = Pointer(3 * hidden, hidden, config.pointer_size)
        self.target = Pointer(hidden, hidden, config.pointer_size)
        self.tag = nn.Linear(hidden, len(TAGS))
        self.post_init()
        # Training starts from the encoder as it was pretrained, without the surface.
        nn.init.zeros_(self.surface.weight)
        # From the first step on, words that show a denial or an allegation speak for that label.
        nn.init.constant_(self.evidence.bias, -3.0)
        for column, label in enumerate(EVIDENCED):
            nn.init.constant_(self.label.weight[LABELS.index(label), hidden + column], 2.0)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        surface_ids: Tensor,
        sentence_ids: Tensor,
        mentions: Tensor | None = None,
    ) -> StanceOutput:
        """Read a batch of windows.

        Args:
            input_ids: Token ids, (B, T).
            attention_mask: 1 for tokens, 0 for padding, (B, T).
            surface_ids: Surface numbers, (B, T).
            sentence_ids: Each token's sentence, -1 for none, (B, T).
            mentions: Sentence, first and last token of mentions whose names are wanted too, (B, M, 3).

        Returns:
            The logits of every head.

        """
        # Counted here, so that an exported graph, which cannot look into its arrays, is given the count instead.
        numbers = torch.arange(int(sentence_ids.max()) + 1, device=input_ids.device)
        return self.read(input_ids, attention_mask, surface_ids, sentence_ids, numbers, mentions)

    def read(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        surface_ids: Tensor,
        sentence_ids: Tensor,
        numbers: Tensor,
        mentions: Tensor | None = None,
    ) -> StanceOutput:
        """Read a batch of windows of at most S sentences, as ``forward``, with ``numbers`` from 0 to S - 1, (S,)."""
        embedded = self.encoder.get_input_embeddings()(input_ids) + self.surface(surface_ids)
        hidden = self.encoder(inputs_embeds=embedded, attention_mask=attention_mask).last_hidden_state
        inside = sentence_ids[:, None, :] == numbers[None, :, None]
        evidence_logits = self.evidence(hidden).float()
        sentences, shown = self._sentence_vectors(hidden, inside, evidence_logits)
        index = numbers.expand(input_ids.size(0), -1)
        place = (hidden, inside.to(hidden.dtype), attention_mask.bool())
        mention_logits = self.mention(sentences, index, *place)
        # The name is looked for from the mention, softly: no hard choice stands between the two pointers.
        weights = mention_logits.softmax(-1).to(hidden.dtype)
        said_by = (weights.flatten(1, 2) @ hidden).unflatten(1, (-1, 2)).flatten(-2)
        return StanceOutput(
            label_logits=self.label(torch.cat([self.dropout(sentences), shown], -1)).float(),
            mention_logits=mention_logits,
            name_logits=self.name(torch.cat([sentences, said_by], -1), index, *place),
            target_logits=self.target(sentences, index, *place),
            tag_logits=self.tag(hidden).float(),
            evidence_logits=evidence_logits,
            antecedent_logits=None if mentions is None else self._antecedents(mentions, sentences, *place),
        )

    def _antecedents(self, mentions: Tensor, sentences: Tensor, hidden: Tensor, inside: Tensor, mask: Tensor) -> Tensor:
        """Point from given mentions, not from the ones that the model finds, to their names."""
        batch = torch.arange(len(mentions), device=mentions.device)[:, None]
        sentence, start, end = mentions.unbind(-1)
        query = torch.cat([sentences[batch, sentence], hidden[batch, start], hidden[batch, end]], -1)
        logits: Tensor = self.name(query, sentence, hidden, inside, mask)
        return logits

    def _sentence_vectors(self, hidden: Tensor, inside: Tensor, evidence: Tensor) -> tuple[Tensor, Tensor]:
        """Sum up each sentence from its marker and weighted means, in the context of its neighbours.

        Two of the means are weighted as is learned, two by the evidence: so the words that annotators point to weigh
        most (Rei and Søgaard, 2019, https://arxiv.org/abs/1811.05949).

        Returns:
            The vectors, (B, S, hidden_size), and how strong the strongest evidence is, from 0 to 1, (B, S, 2).

        """
        first = inside.int().argmax(-1)
        markers = hidden.gather(1, first[..., None].expand(-1, -1, hidden.size(-1)))
        scores = torch.cat([self.pooling(hidden).float(), evidence], -1).movedim(-1, 1)
        scores = scores[:, None].masked_fill(~inside[:, :, None], _MASKED)
        pooled = torch.einsum("bskt,bth->bskh", scores.softmax(-1).to(hidden.dtype), hidden).flatten(-2)
        vectors = self.sentence(self.dropout(torch.cat([markers, pooled], -1)))
        vectors = nn.functional.gelu(vectors)
        context, _ = self.context(vectors, vectors, vectors, key_padding_mask=~inside.any(-1), need_weights=False)
        shown = scores[:, :, -len(EVIDENCED) :].amax(-1).sigmoid().to(hidden.dtype)
        return self.norm(vectors + context), shown
