"""Patients and admissions of the simulated hospital: ids, dates, demographics."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

FIRST_SUBJECT, FIRST_ADMISSION = 10_000, 100_000
START = datetime(2101, 1, 1)  # MIMIC-III shifts its dates into the 22nd century
# Columns of ADMISSIONS that say nothing about codes.
CHOICES = {
    "ADMISSION_TYPE": ["EMERGENCY", "ELECTIVE", "URGENT"],
    "ADMISSION_LOCATION": ["EMERGENCY ROOM ADMIT", "PHYS REFERRAL/NORMAL DELI"],
    "DISCHARGE_LOCATION": ["HOME", "SNF", "HOME HEALTH CARE"],
    "INSURANCE": ["Medicare", "Private", "Medicaid"],
    "ETHNICITY": ["WHITE", "BLACK/AFRICAN AMERICAN", "ASIAN", "UNKNOWN/NOT SPECIFIED"],
}


@dataclass(frozen=True)
class Stays:
    """Who was in the hospital when.

    Attributes:
        patients: as :func:`draw_patients_table` returns it.
        admissions: as :func:`draw_admissions` returns it.
        document: the document whose codes each admission has.
        documented: which admissions have a summary, in the documents' order.
    """

    patients: pl.DataFrame
    admissions: pl.DataFrame
    document: np.ndarray
    documented: np.ndarray


def draw_patients_table(rng: np.random.Generator, patients: int) -> pl.DataFrame:
    """Draw patients: SUBJECT_ID, GENDER, DOB and the start of their first stay."""
    first = [START + timedelta(minutes=int(one)) for one in rng.integers(0, 47_000_000, patients)]
    # MIMIC-III moves births of patients above 89 by 300 years; the simulation stays below.
    ages = np.clip(rng.normal(63, 16, patients), 18, 85)
    born = [
        (start - timedelta(days=float(age) * 365.25)).replace(hour=0, minute=0)
        for start, age in zip(first, ages, strict=True)
    ]
    return pl.DataFrame(
        {
            "SUBJECT_ID": FIRST_SUBJECT + rng.permutation(patients),
            "GENDER": np.array(["F", "M"])[rng.integers(2, size=patients)],
            "DOB": born,
            "EXPIRE_FLAG": np.zeros(patients, dtype=int),
            "first": first,
        }
    )


def draw_admissions(
    rng: np.random.Generator, patients: pl.DataFrame, patient: np.ndarray
) -> pl.DataFrame:
    """Draw an admission per entry of ``patient``; the same patient's follow each other in time.

    Returns:
        Columns of ADMISSIONS, with GENDER and DOB, in the order of ``patient``.
    """
    admissions = len(patient)
    nights = rng.geometric(0.16, admissions)
    hours = rng.integers(1, 20, admissions)
    gaps = rng.integers(20, 250, admissions)
    admitted: list[datetime] = []
    discharged: list[datetime] = []
    first = patients["first"].to_list()
    for number, one in enumerate(patient):
        follows = number > 0 and patient[number - 1] == one
        start = discharged[-1] + timedelta(days=int(gaps[number])) if follows else first[one]
        admitted.append(start)
        discharged.append(start + timedelta(days=int(nights[number]), hours=int(hours[number])))
    choices = {
        column: np.array(values)[rng.integers(len(values), size=admissions)]
        for column, values in CHOICES.items()
    }
    own = patients.select("SUBJECT_ID", "GENDER", "DOB")[patient]
    return own.with_columns(
        HADM_ID=pl.Series(FIRST_ADMISSION + rng.permutation(admissions)),
        ADMITTIME=pl.Series(admitted),
        DISCHTIME=pl.Series(discharged),
        HOSPITAL_EXPIRE_FLAG=pl.lit(0),
        HAS_CHARTEVENTS_DATA=pl.lit(1),
        **{column: pl.Series(values) for column, values in choices.items()},
    )


def draw_stays(
    rng: np.random.Generator, patient: np.ndarray, silent: float, silent_patients: float
) -> Stays:
    """Draw patients and admissions: one for each document, and those without a summary.

    An admission without a summary has the codes of some document: of an earlier stay of the same
    patient, or of anyone where its patient has no document at all.

    Args:
        rng: source of chance.
        patient: of each document; a patient's documents follow each other.
        silent: admissions without a summary, per document.
        silent_patients: share of those whose patient has no document.
    """
    documents, known = len(patient), int(patient[-1]) + 1
    count = round(silent * documents)
    newcomers = round(silent_patients * count)
    patients = draw_patients_table(rng, known + newcomers)
    chosen = rng.choice(documents, count, replace=False)
    again = np.sort(np.concatenate([np.arange(documents), chosen[newcomers:]]), kind="stable")
    owner = np.concatenate([patient[again], known + np.arange(newcomers)])
    return Stays(
        patients,
        draw_admissions(rng, patients, owner),
        document=np.concatenate([again, chosen[:newcomers]]),
        documented=np.flatnonzero(np.diff(again, prepend=-1) > 0),
    )
