"""PLM-ICD (Huang, Tsai, Chen 2022): chunked encoder and tanh label attention."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ModelOutput

from longtail_icd.training.chunking import encode_chunks, label_attention
from longtail_icd.training.losses import weighted_bce


@dataclass
class CoderOutput(ModelOutput):
    """What both models return: the loss if labels were given, and the logits [B, L]."""

    loss: Tensor | None = None
    logits: Tensor | None = None


class PlmIcdConfig(PreTrainedConfig):
    """The encoder's own config, the number of labels and the chunk length in tokens."""

    model_type = "plm_icd"

    def __init__(self, encoder: dict | None = None, labels: int = 2, chunk: int = 128, **kwargs):
        self.encoder = encoder or {"model_type": "roberta"}
        self.labels = labels
        self.chunk = chunk
        super().__init__(**kwargs)


def encoder_from(settings: dict) -> nn.Module:
    """Return an untrained encoder of the architecture that ``settings`` describe."""
    values = dict(settings)
    config = AutoConfig.for_model(values.pop("model_type"), **values)
    return AutoModel.from_config(config, add_pooling_layer=False)


class PlmIcd(PreTrainedModel):
    """Z = tanh(H W1); A = softmax over tokens of Z U; V = Aᵀ H; logit_l = w_l · V_l + b_l.

    Shapes: H [B, T, d], W1 [d, d], U [d, L], V [B, L, d], w [L, d].
    """

    config_class = PlmIcdConfig
    base_model_prefix = "encoder"

    def __init__(self, config: PlmIcdConfig):
        super().__init__(config)
        self.encoder = encoder_from(config.encoder)
        size = self.encoder.config.hidden_size
        self.first = nn.Linear(size, size, bias=False)
        self.queries = nn.Parameter(torch.empty(config.labels, size).normal_(0, 0.02))
        self.classifier = nn.Parameter(torch.empty(config.labels, size).normal_(0, 0.02))
        self.bias = nn.Parameter(torch.zeros(config.labels))
        self.post_init()

    def forward(
        self,
        input_ids: Tensor,
        mask: Tensor,
        targets: Tensor | None = None,
        weights: Tensor | None = None,
        label_mask: Tensor | None = None,
    ) -> CoderOutput:
        """Score notes.

        Args:
            input_ids: [B, T], T a multiple of the chunk length.
            mask: [B, T], true for tokens.
            targets: [B, L] of 0 and 1.
            weights: [B], each note's weight in the loss.
            label_mask: [B, L], false for labels that take no part in the loss.
        """
        hidden, mask = encode_chunks(self.encoder, input_ids, mask, self.config.chunk)
        vectors = label_attention(self.queries, torch.tanh(self.first(hidden)), hidden, mask)
        logits = (vectors * self.classifier).sum(dim=-1) + self.bias
        loss = None if targets is None else weighted_bce(logits, targets, weights, label_mask)
        return CoderOutput(loss=loss, logits=logits)
