"""Significance tests, compared with values by hand and with scipy."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.statistics import significance
from imrnns_core.statistics.significance import (
    MIN_CLUSTERS,
    Significance,
    difference_of_means,
    holm,
    paired_tests,
    significance_records,
)
from imrnns_core.types import DoubleArray


def alone(difference: DoubleArray) -> Significance:
    """Return the test of one column (Q,) of paired differences."""
    return paired_tests(difference[:, None])[0]


def test_a_constant_difference_is_significant_and_certain():
    s = alone(np.full(30, 0.25))
    assert s.change == 0.25
    assert s.ci95 == (0.25, 0.25)
    assert s.p == pytest.approx(1 / 10_001)


def test_no_difference_is_not_significant():
    s = alone(np.zeros(30))
    assert (s.change, s.ci95, s.p) == (0.0, (0.0, 0.0), 1.0)


def test_no_queries_give_no_significance():
    s = alone(np.zeros(0))
    assert (s.change, s.ci95, s.p) == (0.0, (0.0, 0.0), 1.0)


def test_two_of_four_sign_flips_are_as_extreme():
    s = alone(np.array([1.0, 0.5]))  # |mean| of the flips: .75, .25, .25, .75
    assert s.change == 0.75
    assert s.p == pytest.approx(0.5, abs=0.02)
    assert s.ci95 == (0.5, 1.0)
    assert alone(np.array([-1.0, -0.5])).p == s.p
    assert alone(np.array([1.0, 0.5])) == s  # the same seed gives the same result


def test_fewer_than_twenty_clusters_have_no_interval():
    values = np.random.default_rng(0).normal(size=40)
    assert alone(values[:20]).interval == alone(values[:20]).ci95
    assert alone(values[:20]).to_json()["ci95"] == list(alone(values[:20]).ci95)
    assert np.isnan(alone(values[:19]).interval).all()
    assert alone(values[:19]).to_json()["ci95"] == [None, None]
    (paired,) = paired_tests(values[:, None], np.arange(40) // 3)  # 14 clusters
    assert np.isnan(paired.interval).all()


def test_intervals_that_are_shown_contain_the_mean_in_at_least_nine_of_ten_draws():
    rng, trials, contained = np.random.default_rng(1), 400, 0
    changes = np.array([-0.5, -0.13, 0.13, 0.37, 0.5, 0.63, 1.0])
    shares = np.array([0.1, 0.25, 0.25, 0.15, 0.1, 0.1, 0.05])
    drawn = rng.choice(changes, (MIN_CLUSTERS, trials), p=shares)
    drawn[rng.random(drawn.shape) < 0.6] = 0.0
    for test in paired_tests(drawn):
        low, high = test.interval
        contained += low <= 0.4 * changes @ shares <= high
    assert contained / trials >= 0.88


def test_the_difference_between_two_groups():
    assert difference_of_means(np.full(4, 0.5), np.full(9, 0.2)) == pytest.approx((0.3, 0.3))
    low, high = difference_of_means(np.array([0.0, 1.0] * 50), np.array([0.0, 1.0] * 50))
    assert low == pytest.approx(-high, abs=0.02)
    assert high == pytest.approx(
        1.96 * 0.5 * math.sqrt(2 / 100), abs=0.01
    )  # the interval of the normal distribution


def test_clusters_of_one_query_change_nothing():
    differences = np.random.default_rng(1).normal(0.2, 1, size=(30, 2))
    order = np.random.default_rng(2).permutation(30)
    assert paired_tests(differences, np.arange(30)) == paired_tests(differences)
    for test, other in zip(
        paired_tests(differences, order), paired_tests(differences), strict=True
    ):
        assert test.p == pytest.approx(other.p, abs=0.02)
        assert test.standard_error == pytest.approx(other.standard_error)


def test_equal_queries_of_a_cluster_count_once():
    """A cluster whose queries repeat each other says what one of them says."""
    once = np.random.default_rng(3).normal(0.3, 1, size=(25, 1))
    (single,) = paired_tests(once)
    (tripled,) = paired_tests(np.repeat(once, 3, axis=0), np.repeat(np.arange(25), 3))
    for name in ("change", "ci95", "p", "studentized_ci95", "standard_error", "clusters"):
        assert getattr(tripled, name) == pytest.approx(getattr(single, name)), name
    assert (tripled.queries, tripled.changed, tripled.changed_clusters) == (75, 75, 25)


def test_one_cluster_shows_nothing():
    (test,) = paired_tests(np.full((30, 1), 0.5), np.zeros(30, dtype=np.int64))
    assert (test.p, test.clusters, test.changed_clusters, test.queries) == (1.0, 1, 1, 30)


def test_the_difference_of_clustered_groups_is_less_certain():
    values = np.random.default_rng(4).normal(size=20)
    first, second = np.repeat(values, 5), np.zeros(10)
    clusters = np.repeat(np.arange(20), 5), np.arange(10)
    low, high = difference_of_means(first, second)
    wide = difference_of_means(first, second, clusters)
    assert wide[1] - wide[0] == pytest.approx(5**0.5 * (high - low), rel=0.05)


def test_columns_are_tested_independently():
    columns = np.random.default_rng(3).normal(0.1, 1, size=(40, 3))
    for j, together in enumerate(paired_tests(columns)):
        single = alone(columns[:, j])
        assert together.change == pytest.approx(single.change)
        assert together.ci95 == pytest.approx(single.ci95)
        assert together.p == single.p


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_the_interval_contains_the_mean_of_bounded_differences(values: list[float]):
    s = alone(np.array(values))
    assert min(values) - 1e-9 <= s.ci95[0] <= s.ci95[1] <= max(values) + 1e-9
    assert 0 < s.p <= 1


@pytest.mark.parametrize("seed", range(4))
def test_interval_and_p_agree_with_scipy(seed: int):
    """Both are random: intervals agree within a few percent, p values within standard errors."""
    rng = np.random.default_rng(seed)
    values = rng.choice([0.0, 0.0, 0.3, -0.2, 1.0], size=60) + rng.normal(0.01, 0.02, 60)
    ours = alone(values)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(9)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.ci95 == pytest.approx((theirs.low, theirs.high), abs=0.04 * width)
    p = scipy.stats.permutation_test(
        (values,),
        np.mean,
        permutation_type="samples",
        n_resamples=10_000,
        rng=np.random.default_rng(9),
    ).pvalue
    assert ours.p == pytest.approx(p, abs=4 * math.sqrt(max(p, 1e-4) * (1 - p) / 10_000) + 2e-4)
    assert ours.change == pytest.approx(values.mean())


def test_the_interval_of_two_groups_agrees_with_scipy():
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.2, 1, 80), rng.normal(0, 2, 50)
    theirs = scipy.stats.bootstrap(
        (first, second),
        lambda a, b, axis: a.mean(axis) - b.mean(axis),
        n_resamples=10_000,
        method="percentile",
        rng=rng,
    ).confidence_interval
    width = theirs.high - theirs.low
    assert difference_of_means(first, second) == pytest.approx(
        (theirs.low, theirs.high), abs=0.04 * width
    )


def test_the_studentized_interval_is_that_of_the_book():
    """Efron and Tibshirani, section 12.5: mean − t* · se with the t* of the resamples."""
    values = np.random.default_rng(5).exponential(size=40) - 0.6
    rng = np.random.default_rng(9)
    resamples = values[rng.integers(0, 40, size=(20_000, 40))]
    t = (resamples.mean(1) - values.mean()) / (resamples.std(1) / math.sqrt(40))
    error = values.std() / math.sqrt(40)
    low, high = values.mean() - np.percentile(t, [97.5, 2.5]) * error
    assert alone(values).studentized_ci95 == pytest.approx((low, high), abs=0.02)
    assert alone(values).studentized_ci95[1] > alone(values).ci95[1]  # skewed to the right


def test_the_smallest_detectable_difference():
    values = np.random.default_rng(5).normal(size=50)
    test, error = alone(values), values.std(ddof=1) / math.sqrt(50)
    assert test.standard_error == pytest.approx(error)
    found = [test.detectable(tests) for tests in (1, 3, 100)]
    margin = max(abs(end - test.change) for end in (*test.ci95, *test.studentized_ci95))
    assert found[0] == pytest.approx(max(margin, 1.96 * error) + 0.84 * error, rel=1e-3)
    # with many tests, the corrected p value decides
    assert found[2] == pytest.approx((3.4808 + 0.84) * error, rel=1e-3)
    assert found[0] <= found[1] <= found[2]
    assert alone(np.array([0.2])).detectable() is None
    assert alone(np.array([0.0] * 19 + [0.2])).detectable() is None  # its t interval is infinite
    counted = alone(np.array([0.0, 0.1, 1e-12, -0.2]))
    assert (counted.queries, counted.changed) == (4, 2)


@pytest.mark.parametrize("tests", [1, 3])
def test_the_detectable_difference_is_shown_in_about_80_percent_of_cases(
    tests: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(significance, "RESAMPLES", 1000)
    monkeypatch.setattr(significance, "_BATCH", 100)
    rng = np.random.default_rng(2)
    # as changes of nDCG are: mostly zero, some small, a few large ones
    changes = rng.choice(
        [0.0, 0.07, -0.07, 0.37, -0.37, 0.6], p=[0.6, 0.13, 0.1, 0.1, 0.05, 0.02], size=142
    )
    wanted = alone(changes).detectable(tests)
    shown = []
    for _ in range(200):
        drawn = rng.choice(changes, size=142) - changes.mean() + wanted
        test = alone(drawn)
        low = min(test.ci95[0], test.studentized_ci95[0])
        shown.append(test.p * tests <= 0.05 and low > 0)
    assert np.mean(shown) == pytest.approx(0.8, abs=0.09)


def test_rounding_is_no_deviation():
    """39 equal gains and a loss: resamples without the loss do not vary, whatever is rounded."""
    for gain, count in ((0.369, 40), (0.369, 100), (1 / 3, 25), (0.1, 64)):
        differences = np.full((count, 1), gain)
        differences[0] = -gain
        (test,) = paired_tests(differences)
        assert test.studentized_ci95[0] == -math.inf
        assert test.detectable() is None
        assert test.p < 0.001


def test_records_of_tests_that_are_shown_together_have_corrected_p():
    tests = {name: replace(alone(np.zeros(3)), p=p) for name, p in (("a", 0.01), ("b", 0.04))}
    records = significance_records(tests)
    assert [(r["p"], r["p_holm"]) for r in records.values()] == [(0.01, 0.02), (0.04, 0.04)]


def test_holm_corrects_by_rank():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []
