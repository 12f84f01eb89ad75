"""PLM-ICD (Huang, Tsai, Chen 2022): chunked encoder and tanh label attention."""

import torch
from torch import Tensor, nn

from longtail_icd.training.attention import Attended
from longtail_icd.training.coder import Coder, CoderConfig


class PlmIcdConfig(CoderConfig):
    """Nothing beside what all coders have."""

    model_type = "plm_icd"


class PlmIcd(Coder):
    """Z = tanh(H W1); A = softmax over tokens of Z U; V = Aᵀ H; logit_l = w_l · V_l + b_l.

    Shapes of one note: H [T, d], W1 [d, d], U [d, L], V [L, d], w [L, d].
    """

    config_class = PlmIcdConfig
    encodes_padding = True

    def __init__(self, config: PlmIcdConfig):
        super().__init__(config)
        size = self.encoder.config.hidden_size
        self.first = nn.Linear(size, size, bias=False)
        self.post_init()

    def attended(self, input_ids: Tensor, lengths: list[int]) -> Attended:
        """Return queries U, keys Z and values H."""
        hidden, lengths = self.encode(input_ids, lengths, self.config.chunk)
        return Attended(self.queries, torch.tanh(self.first(hidden)), hidden, lengths)
