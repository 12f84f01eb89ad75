"""PLM-CA (Edin et al. 2024), with a classifier per label as GKI-ICD has it: cross-attention."""

import torch
from torch import Tensor, nn

from longtail_icd.training.attention import Attended, wide
from longtail_icd.training.coder import Coder, CoderConfig


class PlmCaConfig(CoderConfig):
    """Nothing beside what all coders have."""

    model_type = "plm_ca"


class PlmCa(Coder):
    """S = Q (H Wk)ᵀ; A = softmax over tokens; E = LayerNorm(A (H Wv + b)); logit = c_l · E_l + b_l.

    Shapes of one note: H [T, d], Q and c [L, d], E [L, d]. Edin et al. share one c among labels.
    """

    config_class = PlmCaConfig

    def __init__(self, config: PlmCaConfig):
        super().__init__(config)
        size = self.encoder.config.hidden_size
        self.keys = nn.Linear(size, size, bias=False)
        self.values = nn.Linear(size, size)
        self.norm = nn.LayerNorm(size)
        self.post_init()

    def attended(self, input_ids: Tensor, lengths: list[int]) -> Attended:
        """Return queries Q Wk, keys H and values H Wv + b."""
        hidden, lengths = self.encode(input_ids, lengths, self.config.chunk)
        # Q (H Wk)ᵀ = (Q Wk) Hᵀ: one product per label instead of one per token.
        with torch.autocast(hidden.device.type, enabled=False):
            queries = wide(self.queries) @ wide(self.keys.weight)
        return Attended(queries, hidden, self.values(hidden), lengths)

    def seen(self, attended: Attended) -> list[Tensor]:
        """Return E [L, d] of each note."""
        return [self.norm(note) for note in super().seen(attended)]
