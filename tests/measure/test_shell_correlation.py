"""Up to which frequency two images agree, and the transfer of an image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, ndimage

import corrtomo as ct
from corrtomo.measure.resolution.shell_correlation import _crossing

FSC = ct.measure.fourier_shell_correlation
TRANSFER = ct.measure.transfer_resolution
SD = 2 * np.sqrt(2 * np.log(2))


def frequencies(shape, voxels):
    return np.sqrt(sum(np.square(g) for g in np.meshgrid(*map(fft.fftfreq, shape, voxels), indexing="ij")))


def cut_off(shape, voxels, highest, seed=0):
    """Return a random object with nothing above a frequency."""
    spectrum = fft.fftn(np.random.default_rng(seed).normal(size=shape))
    spectrum[frequencies(shape, voxels) > highest] = 0
    out = fft.ifftn(spectrum).real
    return out / out.std()


def halves(truth, noise, voxels, seed=0):
    rng = np.random.default_rng([seed, 1])
    return [ct.volume(truth + noise * rng.normal(size=truth.shape), voxels) for _ in range(2)]


def grains(shape, edge, seed=0):
    """Return smooth grains with sharp borders."""
    rng = np.random.default_rng(seed)
    return (ndimage.gaussian_filter(rng.normal(size=shape), edge, mode="wrap") > 0).astype(float)


@pytest.mark.parametrize("window", ["hann", "tapered", "none"])
@pytest.mark.parametrize(
    ("shape", "voxels"), [((360, 360), (0.05, 0.05)), ((80, 160, 160), (0.1, 0.05, 0.05))]
)
def test_a_sharp_cut_off_is_found(shape, voxels, window):
    found = FSC(*halves(cut_off(shape, voxels, 3.5), 0.5, voxels), window=window)
    assert found.resolution_um == pytest.approx(1 / 3.5, rel=0.1)
    assert found.low_um <= found.resolution_um <= found.high_um
    assert not found.bound
    # Nyquist of the coarser voxels is the last shell.
    assert found.table.frequency_per_um.iloc[-1] == pytest.approx(0.5 / max(voxels), rel=0.02)


def test_shells_are_those_of_a_direct_sum():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 17, 20, 18))
    voxels = (0.2, 0.1, 0.1)
    table = FSC(ct.volume(first, voxels), ct.volume(first + 0.5 * second, voxels), window="none").table
    a, b = (fft.fftn(f - f.mean()) for f in (first, first + 0.5 * second))
    width = 1 / 1.8
    shell = np.rint(frequencies(first.shape, voxels) / width).astype(int)
    for i, row in enumerate(table.itertuples(), 1):
        on = shell == i
        assert row.independent == row.voxels
        assert row.voxels == on.sum()
        powers = [(np.abs(f[on]) ** 2).sum() for f in (a, b)]
        assert row.correlation == pytest.approx(
            (a * b.conj())[on].real.sum() / np.sqrt(np.prod(powers)), abs=1e-4
        )


def test_white_signal_in_white_noise_correlates_as_it_must():
    truth = np.random.default_rng(0).normal(size=(400, 400))
    for window in ("hann", "none"):
        table = FSC(*halves(truth, 0.5, 0.05), window=window, criterion="1/7").table
        known = table[table.voxels > 200]
        assert known.correlation.mean() == pytest.approx(1 / 1.25, abs=0.01)
        # As sure as it says: nine of ten at the least.
        assert ((known.low <= 0.8) & (known.high >= 0.8)).mean() > 0.9


def test_thresholds_are_the_published_ones():
    image = halves(cut_off((64, 64), (0.1, 0.1), 2), 0.3, 0.1)
    table = FSC(*image, window="none", criterion="1/7").table
    root = 1 / np.sqrt(table.independent)
    np.testing.assert_allclose(table.half_bit, (0.2071 + 1.9102 * root) / (1.2071 + 0.9102 * root), rtol=1e-4)
    np.testing.assert_allclose(table.one_bit, (0.5 + 2.4142 * root) / (1.5 + 1.4142 * root), rtol=1e-4)
    np.testing.assert_allclose(table.three_sigma, np.minimum(1, 3 / np.sqrt(table.independent / 2)))
    np.testing.assert_allclose(table.one_seventh, 1 / 7)


def test_noise_moves_the_resolution_and_no_sharpening_does():
    truth = ndimage.gaussian_filter(grains((256, 256), 8), 2)
    quiet, loud = (FSC(*halves(truth, noise, 0.05)) for noise in (0.02, 0.2))
    assert quiet.resolution_um < 0.8 * loud.resolution_um
    pair = halves(truth, 0.05, 0.05)
    sharp = [
        ct.volume(3 * p.values - 2 * ndimage.gaussian_filter(p.values, 3, mode="wrap"), 0.05) for p in pair
    ]
    assert FSC(*sharp).resolution_um == pytest.approx(FSC(*pair).resolution_um, rel=0.05)
    strict = {c: FSC(*pair, criterion=c).resolution_um for c in ("1/7", "1/2", "one-bit", "half-bit")}
    assert strict["1/2"] >= strict["one-bit"] >= strict["half-bit"]
    assert strict["1/2"] >= strict["1/7"]


def shaped(shape, voxel, transfer, seed=0):
    """Return white grey values whose spectrum is multiplied by a function of frequency."""
    spectrum = fft.fftn(np.random.default_rng(seed).normal(size=shape))
    return fft.ifftn(spectrum * transfer(frequencies(shape, (voxel,) * len(shape)))).real


def dipping(frequency, fwhm, low, high):
    """Return a Gaussian transfer, and next to nothing between two frequencies."""
    spread = np.exp(-2 * (np.pi * fwhm / SD * frequency) ** 2)
    return np.where((frequency > low) & (frequency < high), 0.01 * spread, spread)


@pytest.mark.parametrize("criterion", ["1/2", "half-bit", "1/7"])
@pytest.mark.parametrize("dip", [(0.0, 0.0), (0.35, 0.65), (0.9, 1.2)])
def test_a_known_spread_sinks_into_noise_where_it_must_whatever_dips_before(criterion, dip):
    fwhm, noise, shape = 0.224, 0.2, (320, 320)
    seen = shaped(shape, 0.05, lambda k: dipping(k, fwhm, *dip))
    found = FSC(*halves(seen, noise, 0.05), criterion=criterion)
    # The spread squared over the noise is c / (1 - c) at a correlation c: half a bit is about 0.19 here.
    wanted = {"1/2": 0.5, "half-bit": 0.19, "1/7": 1 / 7}[criterion]
    at = np.sqrt(-np.log(noise**2 * wanted / (1 - wanted))) / (2 * np.pi * fwhm / SD)
    assert found.resolution_um == pytest.approx(1 / at, rel=0.1)
    assert found.low_um <= found.resolution_um <= found.high_um


def test_one_crossing_of_many_counts():
    def at(signs, first=0):
        gap = np.array([{"+": 0.5, "-": -0.5}[s] for s in signs])
        return _crossing(gap, first, np.arange(1.0, len(gap) + 1))

    assert at("+++---") == 3.5
    assert at("++--++++---") == 8.5  # a dip
    assert at("++++---+---") == 4.5  # noise that comes back
    assert at("+++-+---") == 5.5  # as many either way: the finer
    assert at("++----++") == 2.5
    assert at("--++--", 2) == 4.5
    assert at("++++") == 4.0
    assert np.isnan(at("----"))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30), st.floats(0, 0.5))
def test_the_interval_of_a_crossing_is_in_order(gaps, wide):
    gap = np.array([0.5, *gaps])
    places = np.arange(1.0, len(gap) + 1)
    low, middle, high = (_crossing(gap + off, 0, places) for off in (-wide, 0.0, wide))
    assert middle <= high
    assert np.isnan(low) or low <= middle


def test_what_agrees_to_the_end_is_a_bound():
    found = FSC(*halves(np.random.default_rng(0).normal(size=(64, 64)), 0.1, 0.05), criterion="1/7")
    assert found.bound
    assert found.resolution_um == pytest.approx(0.1)
    assert "at most 0.100 µm" in repr(found)


@pytest.mark.parametrize("fwhm", [0.15, 0.25, 0.4])
@pytest.mark.parametrize("noise", [0.05, 0.2])
def test_the_transfer_of_a_known_object(fwhm, noise):
    truth = grains((300, 300), 6)
    seen = ndimage.gaussian_filter(truth, fwhm / SD / 0.05, mode="wrap")
    found = TRANSFER(*halves(seen, noise, 0.05), truth=ct.volume(truth, 0.05))
    assert found.fwhm_um == pytest.approx(fwhm, rel=0.03)
    assert found.object_known
    assert found.low_um < found.fwhm_um < found.high_um


@pytest.mark.parametrize("fwhm", [0.15, 0.25, 0.4])
def test_grains_with_sharp_borders_need_no_truth(fwhm):
    fine = grains((200, 200, 200), 10, seed=1).astype(np.float32)
    seen = ndimage.gaussian_filter(fine, fwhm / SD / 0.05, mode="wrap", truncate=3)
    found = TRANSFER(*halves(seen, 0.1, 0.05))
    assert found.fwhm_um == pytest.approx(fwhm, rel=0.1)
    assert not found.object_known
    assert found.table.used.sum() >= 5
    assert found.table.frequency_per_um[found.table.used].iloc[0] == found.from_per_um


def test_frequencies_may_be_given():
    truth = grains((128, 128), 6)
    pair = halves(ndimage.gaussian_filter(truth, 2, mode="wrap"), 0.05, 0.05)
    found = TRANSFER(*pair, truth=ct.volume(truth, 0.05), from_per_um=0.5, to_per_um=2.0)
    assert 0.5 <= found.from_per_um < found.to_per_um < 2.0
    assert "the object known" in repr(found)


def streaked(edge, streaks, noise, fwhm=0.224):
    """Return blurred grains as two halves that share coloured noise, as streaks of few projections."""
    truth = grains((512, 512), edge)
    own = shaped(truth.shape, 0.05, lambda k: np.where(k > 0, k, 1) ** -0.5, seed=5)
    seen = ndimage.gaussian_filter(truth, fwhm / SD / 0.05, mode="wrap") + streaks * own / own.std()
    return halves(seen, noise, 0.05), ct.volume(truth, 0.05)


@pytest.mark.parametrize(("edge", "streaks", "noise"), [(30, 0, 0.05), (12, 0.02, 0.4), (12, 0.05, 0.2)])
def test_without_the_object_the_interval_holds_what_its_assumption_may_be_off_by(edge, streaks, noise):
    pair, truth = streaked(edge, streaks, noise)
    alone, given_it = TRANSFER(*pair), TRANSFER(*pair, truth=truth)
    assert alone.low_um <= 0.224 <= alone.high_um
    assert given_it.high_um - given_it.low_um < alone.high_um - alone.low_um


@pytest.mark.parametrize(("edge", "streaks", "noise"), [(12, 0.1, 0.2), (30, 0.02, 0.4), (30, 0.1, 0.4)])
def test_a_fall_that_another_object_explains_is_no_width(edge, streaks, noise):
    pair, truth = streaked(edge, streaks, noise)
    with pytest.raises(ValueError, match=r"explains \d+% of it\. Take images of less noise"):
        TRANSFER(*pair)
    assert TRANSFER(*pair, truth=truth).fwhm_um == pytest.approx(0.224, rel=0.1)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    st.integers(16, 40), st.integers(16, 40), st.sampled_from(["hann", "tapered", "none"]), st.integers(0, 99)
)
def test_sizes_of_any_parity(rows, columns, window, seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(rows, columns))
    pair = halves(truth, 0.1, (0.05, 0.08), seed)
    there, back = FSC(*pair, window=window, criterion="1/7"), FSC(*pair[::-1], window=window, criterion="1/7")
    assert there.table.correlation.to_numpy() == pytest.approx(back.table.correlation.to_numpy())
    assert there.table.correlation.between(-1, 1 + 1e-6).all()
    assert there.resolution_um >= 2 * 0.08 * (1 - 1e-9)


def noise(seed, shape=(64, 64)):
    return ct.volume(np.random.default_rng(seed).normal(size=shape), 0.05)


@pytest.mark.parametrize("function", [FSC, TRANSFER])
@pytest.mark.parametrize(
    ("second", "options", "error", "match"),
    [
        (np.zeros((64, 64)), {}, TypeError, "ndarray"),
        (None, {}, TypeError, "NoneType"),
        (noise(1, (64, 32)), {}, ValueError, "sizes"),
        (ct.volume(noise(1).values, 0.1), {}, ValueError, "coordinates differ"),
        (ct.volume(np.full((64, 64), 2.0), 0.05), {}, ValueError, "all grey values of an image are alike"),
        (noise(1) * np.nan, {}, ValueError, "NaN"),
        (noise(1), {"window": "flat"}, ValueError, "window 'flat'"),
        (noise(1), {"level": 0}, ValueError, "level 0"),
        (noise(1).astype(str), {}, TypeError, "dtype <U"),
        (noise(1) + 1j, {}, TypeError, "dtype complex128"),
        (noise(1), {}, ValueError, "agree at no frequency|shells lie between"),
    ],
)
def test_both_refuse(function, second, options, error, match):
    with pytest.raises(error, match=match):
        function(noise(0), second, **options)


def test_they_refuse_what_is_their_own():
    with pytest.raises(ValueError, match="both are the same image"):
        FSC(noise(0), noise(0) * 3 + 1)
    with pytest.raises(ValueError, match="criterion 'best'"):
        FSC(noise(0), noise(1), criterion="best")
    with pytest.raises(ValueError, match=r"of \(8, 64\) voxels: 16 or more"):
        FSC(noise(0, (8, 64)), noise(1, (8, 64)))
    with pytest.raises(ValueError, match="2D or 3D is needed"):
        FSC(noise(0, (64,)), noise(1, (64,)))
    truth = noise(2)
    pair = halves(truth.values, 0.1, 0.05)
    with pytest.raises(TypeError, match="from_per_um 'low'"):
        TRANSFER(*pair, from_per_um="low")
    with pytest.raises(ValueError, match="shells lie between 9 and"):
        TRANSFER(*pair, from_per_um=9.0)
    with pytest.raises(ValueError, match="sizes"):
        TRANSFER(*pair, truth=noise(2, (64, 32)))
    sharper = [
        ct.volume(2 * p.values - ndimage.gaussian_filter(p.values, 1, mode="wrap"), 0.05) for p in pair
    ]
    with pytest.raises(ValueError, match="falls no faster"):
        TRANSFER(*sharper, truth=truth)


def test_voxels_so_long_that_no_shell_is_left_are_refused():
    pair = [ct.volume(noise(seed).values, (0.05, 5.0)) for seed in range(2)]
    for function in (FSC, TRANSFER):
        with pytest.raises(ValueError, match=r"voxels of \(0\.05, 5\.0\) µm.*no shell"):
            function(*pair)


def test_an_image_is_neither_its_own_truth_nor_its_own_pair():
    truth = noise(2)
    first, second = halves(truth.values, 0.1, 0.05)
    for image in (first, second):
        with pytest.raises(ValueError, match="the truth is one of the images"):
            TRANSFER(first, second, truth=image * 2 + 1)
    with pytest.raises(ValueError, match="both are the same image"):
        TRANSFER(first, first * 3)
