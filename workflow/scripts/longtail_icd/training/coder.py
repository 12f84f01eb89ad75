"""What all coders share: an encoder, an attention vector and a classifier vector per label."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ModelOutput

from longtail_icd.training.attention import Attended, label_attention
from longtail_icd.training.chunking import encode_chunks, encode_padded
from longtail_icd.training.dropout import use_cpu_dropout
from longtail_icd.training.encoder import without_pooler
from longtail_icd.training.losses import weighted_bce


@dataclass
class CoderOutput(ModelOutput):
    """What every coder returns: the loss if labels were given, and the logits [B, L]."""

    loss: Tensor | None = None
    logits: Tensor | None = None


class CoderConfig(PreTrainedConfig):
    """What a coder is made of.

    Attributes:
        encoder: the encoder's own configuration.
        labels: number of codes.
        chunk: tokens the encoder sees at once.
        mask_padding: off brings back what was published, see :func:`encode_padded`.
    """

    encoder: dict[str, Any] = field(default_factory=lambda: {"model_type": "roberta"})
    labels: int = 2
    chunk: int = 128
    mask_padding: bool = True


def encoder_from(settings: dict[str, Any]) -> PreTrainedModel:
    """Return an untrained encoder of the architecture that ``settings`` describe."""
    values = dict(settings)
    config = AutoConfig.for_model(values.pop("model_type"), **values)
    return AutoModel.from_config(config, **without_pooler(config))


class Coder(PreTrainedModel):
    """Base of the models: logit_l = c_l · V_l + b_l, with V_l what label l saw of a note.

    A model says in :meth:`attended` how its labels look at a note.
    """

    base_model_prefix = "encoder"
    # Published without masks: is padding between notes encoded, or are its states zeros?
    encodes_padding = False

    def __init__(self, config: CoderConfig):
        super().__init__(config)
        self.encoder = encoder_from(config.encoder)
        use_cpu_dropout(self.encoder)
        size = self.encoder.config.hidden_size
        self.queries = nn.Parameter(torch.empty(config.labels, size).normal_(0, 0.02))
        self.classifier = nn.Parameter(torch.empty(config.labels, size).normal_(0, 0.02))
        self.bias = nn.Parameter(torch.zeros(config.labels))

    def encode(self, input_ids: Tensor, lengths: list[int], chunk: int) -> tuple[Tensor, list[int]]:
        """Return the states [N, d] that the label attention sees, and how many of each note."""
        if self.config.mask_padding:
            return encode_chunks(self.encoder, input_ids, lengths, chunk), lengths
        return encode_padded(self.encoder, input_ids, lengths, chunk, self.encodes_padding)

    def attended(self, input_ids: Tensor, lengths: list[int]) -> Attended:
        """Return what the label attention looks at."""
        raise NotImplementedError

    def seen(self, attended: Attended) -> list[Tensor]:
        """Return V [L, d] of each note."""
        return label_attention(*attended)

    def label_vectors(self, input_ids: Tensor, lengths: list[int]) -> list[Tensor]:
        """Return V [L, d] of each note."""
        return self.seen(self.attended(input_ids, lengths))

    def score(self, vectors: list[Tensor]) -> Tensor:
        """Return the logits [B, L] of the notes' label vectors."""
        return torch.stack([(note * self.classifier).sum(dim=-1) for note in vectors]) + self.bias

    @torch.no_grad()
    def rescale(self, labels: Tensor, factor: float, offset: float) -> None:
        """Make factor · logit + offset of the logits of some labels, [L] of booleans."""
        self.classifier[labels] *= factor
        self.bias[labels] = factor * self.bias[labels] + offset

    def forward(
        self,
        input_ids: Tensor,
        lengths: list[int],
        targets: Tensor | None = None,
        weights: Tensor | None = None,
        label_mask: Tensor | None = None,
    ) -> CoderOutput:
        """Score notes.

        Args:
            input_ids: [N], the tokens of all notes one after another.
            lengths: tokens of each note, at least one; N in all.
            targets: [B, L] of 0 and 1.
            weights: [B], each note's weight in the loss.
            label_mask: [B, L], false for labels that take no part in the loss.
        """
        logits = self.score(self.label_vectors(input_ids, lengths))
        loss = None if targets is None else weighted_bce(logits, targets, weights, label_mask)
        return CoderOutput(loss=loss, logits=logits)
