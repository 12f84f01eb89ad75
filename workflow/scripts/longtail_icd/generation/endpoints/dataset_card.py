"""The card of a dataset of synthetic notes, in the Hugging Face Hub's format."""

from dataclasses import dataclass
from typing import Any

import yaml

from longtail_icd.generation.endpoints.licences import Licence

TABLES = ("notes", "labels")
# PhysioNet's custom for what derives from a corpus of its own.
_EXTENSIONS = {"mimic3": "MIMIC-III-Ext", "mimic4": "MIMIC-IV-Ext"}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))


@dataclass(frozen=True)
class DatasetFacts:
    """What a card says.

    Args:
        corpus: the corpus' name in the configuration.
        adapter: how it is read.
        recipe: whose notes these are.
        licence: the corpus' licence.
        umls: synonyms of the UMLS were in use.
        manifest: the recipe's manifest, from ``collect_notes``.
    """

    corpus: str
    adapter: str
    recipe: str
    licence: Licence
    umls: bool
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        """The dataset's name; before: mimic3 and paper, after: MIMIC-III-Ext-paper."""
        restricted = not self.licence.public
        source = _EXTENSIONS.get(self.adapter, self.corpus) if restricted else self.corpus
        return f"{source}-{self.recipe}"


def _front_matter(facts: DatasetFacts, notes: int) -> str:
    licence = facts.licence
    size = next((name for limit, name in _SIZES if notes < limit), "100K<n<1M")
    fields = {
        "pretty_name": facts.name,
        "license": licence.id,
        **({"license_name": licence.name} if licence.id == "other" else {}),
        "tags": ["synthetic", "clinical-notes", "medical-coding", "icd"],
        "size_categories": [size],
        "configs": [{"config_name": table, "data_files": f"{table}.parquet"} for table in TABLES],
    }
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)


def dataset_card(facts: DatasetFacts) -> str:
    """Return the card as Markdown: licence, what the notes were made from, where prompts went."""
    manifest = facts.manifest
    counts = manifest["notes"]
    total, missing = sum(counts.values()), len(manifest["missing_anchors"])
    lines = [
        f"# {facts.name}",
        "",
        "Synthetic discharge summaries for rare ICD codes, written by longtail-icd with the recipe "
        f"`{facts.recipe}` after the corpus `{facts.corpus}`.",
        "",
        "## Licence and sharing",
        "",
        f"Licence: {facts.licence.name}.",
    ]
    if not facts.licence.public:
        lines.append(
            "The notes derive from a restricted corpus; treat them as containing sensitive "
            "information. Do not upload them; share them under the corpus' own agreement only "
            "(for MIMIC: as a project on PhysioNet)."
        )
    if facts.umls:
        lines.append("Synonyms of the UMLS were in use; its licence holds for them too.")
    lines += [
        "",
        "## Contents",
        "",
        f"- `notes.parquet`: {total} notes ({counts.get('ok', 0)} ok; the others keep the reasons "
        "for which they were rejected)",
        "- `labels.parquet`: their codes with verdict, evidence and weight",
        f"- anchors: {manifest['anchors']}, {missing} of them without a note",
        f"- models: {', '.join(sorted(manifest['models'])) or 'none'}",
        "",
        "## Where prompts went",
        "",
        "| endpoint | data class of the prompts | requests |",
        "|---|---|---|",
        *(
            f"| {row['endpoint'] or 'nowhere'} | {row['data_class']} | {row['count']} |"
            for row in manifest["data_classes"]
        ),
    ]
    return f"---\n{_front_matter(facts, total)}---\n\n" + "\n".join(lines) + "\n"
