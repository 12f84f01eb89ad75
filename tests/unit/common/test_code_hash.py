"""The rerun hash changes with what code does, not with how it is explained."""

from longtail_icd.common.code_hash import hash_sources


def _hash(tmp_path, source):
    path = tmp_path / "module.py"
    path.write_text(source)
    return hash_sources([path])


def test_comments_and_docstrings_do_not_count(tmp_path):
    plain = _hash(tmp_path, 'def f(x):\n    """Old."""\n    return x + 1\n')
    assert _hash(tmp_path, '# c\ndef f(x):\n    """New."""\n\n    return x + 1  # d\n') == plain


def test_behaviour_and_names_count(tmp_path):
    plain = _hash(tmp_path, "def f(x):\n    return x + 1\n")
    assert _hash(tmp_path, "def f(x):\n    return x + 2\n") != plain
    assert _hash(tmp_path, "def g(x):\n    return x + 1\n") != plain
