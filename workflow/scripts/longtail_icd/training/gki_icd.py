"""GKI-ICD (arXiv 2505.18708): description-initialised label attention, guided by knowledge."""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from longtail_icd.training.chunking import encode_chunks, label_attention
from longtail_icd.training.losses import RDROP, evidence_distance, weighted_bce
from longtail_icd.training.plm_icd import CoderOutput, PlmIcdConfig, encoder_from


class GkiIcdConfig(PlmIcdConfig):
    """PLM-ICD's settings and the weights of the loss's terms."""

    model_type = "gki_icd"

    def __init__(
        self,
        rdrop_alpha: float = 5.0,
        rdrop_kind: str = "softmax",
        similarity_lambda: float = 0.0,
        **kwargs,
    ):
        self.rdrop_alpha = rdrop_alpha
        self.rdrop_kind = rdrop_kind
        self.similarity_lambda = similarity_lambda
        super().__init__(**kwargs)


class GkiIcd(PreTrainedModel):
    """S = Q (H Wk)ᵀ; A = softmax over tokens; E = LayerNorm(A (H Wv + b)); logit = c_l · E_l + b_l.

    Shapes: H [B, T, d], Q and c [L, d], E [B, L, d]. Training also reads each note's guideline (a
    text made of its codes' hierarchy and synonyms) with the same labels, and may read the note
    twice under dropout (R-Drop). Prediction reads the note alone.
    """

    config_class = GkiIcdConfig
    base_model_prefix = "encoder"

    def __init__(self, config: GkiIcdConfig):
        super().__init__(config)
        self.encoder = encoder_from(config.encoder)
        size = self.encoder.config.hidden_size
        self.keys = nn.Linear(size, size, bias=False)
        self.values = nn.Linear(size, size)
        self.norm = nn.LayerNorm(size)
        self.queries = nn.Parameter(torch.empty(config.labels, size).normal_(0, 0.02))
        self.classifier = nn.Parameter(torch.empty(config.labels, size).normal_(0, 0.02))
        self.bias = nn.Parameter(torch.zeros(config.labels))
        # R-Drop starts with the second epoch; the trainer switches it on.
        self.rdrop_active = False
        self.post_init()

    @torch.no_grad()
    def initialise_from_descriptions(self, input_ids: Tensor, mask: Tensor) -> None:
        """Set queries and classifier to the max-pooled encoding of each code's title.

        Args:
            input_ids: [L, t] tokens of the titles, in label order.
            mask: [L, t], true for tokens; padding takes no part in the pool.
        """
        training = self.training
        self.eval()
        for start in range(0, len(input_ids), 256):
            part = slice(start, start + 256)
            states = self.encoder(
                input_ids=input_ids[part], attention_mask=mask[part].long()
            ).last_hidden_state
            pooled = states.masked_fill(~mask[part].unsqueeze(-1), float("-inf")).amax(dim=1)
            self.queries[part] = pooled
            self.classifier[part] = pooled
        self.train(training)

    def _evidence(self, input_ids: Tensor, mask: Tensor) -> Tensor:
        """Return the label vectors E [B, L, d]."""
        hidden, mask = encode_chunks(self.encoder, input_ids, mask, self.config.chunk)
        # Q (H Wk)ᵀ = (Q Wk') Hᵀ: one product per label instead of one per token.
        with torch.autocast(hidden.device.type, enabled=False):
            queries = self.queries.float() @ self.keys.weight.float()
        return self.norm(label_attention(queries, hidden, self.values(hidden), mask))

    def _logits(self, evidence: Tensor) -> Tensor:
        return (evidence * self.classifier).sum(dim=-1) + self.bias

    def forward(
        self,
        input_ids: Tensor,
        mask: Tensor,
        targets: Tensor | None = None,
        weights: Tensor | None = None,
        label_mask: Tensor | None = None,
        guideline_ids: Tensor | None = None,
        guideline_mask: Tensor | None = None,
    ) -> CoderOutput:
        """Score notes; see :meth:`PlmIcd.forward`. Guidelines [B, t] take part in the loss only."""
        note = self._evidence(input_ids, mask)
        logits = self._logits(note)
        if targets is None:
            return CoderOutput(logits=logits)
        loss = weighted_bce(logits, targets, weights, label_mask)
        if not self.training:
            return CoderOutput(loss=loss, logits=logits)
        extra = logits.new_zeros(())
        if self.rdrop_active and self.config.rdrop_alpha > 0:
            again = self._logits(self._evidence(input_ids, mask))
            loss = (loss + weighted_bce(again, targets, weights, label_mask)) / 2
            divergence = RDROP[self.config.rdrop_kind](logits, again, weights)
            extra = extra + self.config.rdrop_alpha * divergence
        if guideline_ids is not None:
            guideline = self._evidence(guideline_ids, guideline_mask)
            # Published: the mean over note, guideline, note, guideline under dropout. The second
            # guideline pass has no KL term, so leaving it out changes no expectation.
            told = weighted_bce(self._logits(guideline), targets, weights, label_mask)
            loss = (loss + told) / 2
            if self.config.similarity_lambda > 0:
                distance = evidence_distance(note, guideline, targets, weights)
                extra = extra + self.config.similarity_lambda * distance
        return CoderOutput(loss=loss + extra, logits=logits)
