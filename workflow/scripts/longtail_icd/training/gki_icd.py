"""GKI-ICD (arXiv 2505.18708): description-initialised label attention, guided by knowledge."""

import torch
from torch import Tensor

from longtail_icd.training.coder import CoderOutput
from longtail_icd.training.losses import RDROP, evidence_distance, weighted_bce
from longtail_icd.training.plm_ca import PlmCa, PlmCaConfig


class GkiIcdConfig(PlmCaConfig):
    """PLM-CA's settings and the weights of the loss's terms."""

    model_type = "gki_icd"

    rdrop_alpha: float = 5.0
    rdrop_kind: str = "softmax"
    similarity_lambda: float = 0.0


class GkiIcd(PlmCa):
    """PLM-CA with more to learn from: guidelines, R-Drop and similarity.

    Training also reads each note's guideline (a text made of its codes' hierarchy and synonyms)
    with the same labels, and may read the note twice under dropout (R-Drop). Prediction reads the
    note alone.
    """

    config_class = GkiIcdConfig

    def __init__(self, config: GkiIcdConfig):
        super().__init__(config)
        # R-Drop starts with the second epoch; the trainer switches it on.
        self.rdrop_active = False

    def forward(
        self,
        input_ids: Tensor,
        lengths: list[int],
        targets: Tensor | None = None,
        weights: Tensor | None = None,
        label_mask: Tensor | None = None,
        guideline_ids: Tensor | None = None,
        guideline_lengths: list[int] | None = None,
    ) -> CoderOutput:
        """Score notes; see :meth:`Coder.forward`. Guidelines [n] take part in the loss only."""
        if targets is None or not self.training:
            return super().forward(input_ids, lengths, targets, weights, label_mask)
        twice = self.rdrop_active and self.config.rdrop_alpha > 0
        ids, sizes = [input_ids] * (1 + twice), lengths * (1 + twice)
        if guideline_ids is not None:
            ids, sizes = [*ids, guideline_ids], [*sizes, *guideline_lengths]
        # All passes go through the encoder together: dropout differs from row to row anyway.
        vectors = self.label_vectors(torch.cat(ids), sizes)
        logits = self.score(vectors).split(len(lengths))

        losses = [weighted_bce(one, targets, weights, label_mask) for one in logits]
        loss, extra = losses[0], logits[0].new_zeros(())
        if twice:
            loss = (losses[0] + losses[1]) / 2
            divergence = RDROP[self.config.rdrop_kind](logits[0], logits[1], weights)
            extra = extra + self.config.rdrop_alpha * divergence
        if guideline_ids is not None:
            # Published: the mean over note, guideline, note, guideline under dropout. The second
            # guideline pass has no KL term, so leaving it out changes no expectation.
            loss = (loss + losses[-1]) / 2
            if self.config.similarity_lambda > 0:
                note, guideline = vectors[: len(lengths)], vectors[-len(lengths) :]
                distance = evidence_distance(note, guideline, targets, weights)
                extra = extra + self.config.similarity_lambda * distance
        return CoderOutput(loss=loss + extra, logits=logits[0])
