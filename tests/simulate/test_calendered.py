"""Calendered cathodes: what is set must hold, and what cycling does must only take contact away."""

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.simulate import trimmed
from corrtomo.simulate.raster import View
from corrtomo.simulate.scene import draw_cracks

SIZE = (18.0, 20.0, 20.0)
PORE, CBD, AM = 0, 1, 2


def contact_of(codes, axes):
    """Count faces of active material the plain way."""
    touching = total = 0
    for axis in axes:
        rows = np.moveaxis(codes, axis, 0)
        for here, there in ((rows[:-1], rows[1:]), (rows[1:], rows[:-1])):
            touching += np.count_nonzero((here == AM) & (there == CBD))
            total += np.count_nonzero((here == AM) & (there != AM))
    return touching / total


@pytest.fixture(scope="module")
def cathode():
    return ct.simulate.calendered(SIZE, seed=1)


@pytest.fixture(scope="module")
def aged(cathode):
    return ct.simulate.cycled(cathode, 0.43, fractured=0.3)


@pytest.fixture(scope="module")
def codes(cathode):
    return cathode.labels(0.05).values


@pytest.fixture(scope="module")
def aged_codes(aged):
    return aged.labels(0.05).values


def test_the_box_has_the_fractions_and_the_contact_that_were_asked_for(codes):
    assert (codes == AM).mean() == pytest.approx(0.69, abs=0.01)
    assert (codes == CBD).mean() == pytest.approx(0.24, abs=0.01)
    assert contact_of(codes, (0, 2)) == pytest.approx(0.54, abs=0.015)


def test_contact_is_the_same_along_and_across_the_coating(codes):
    assert contact_of(codes, (1,)) == pytest.approx(contact_of(codes, (0, 2)), abs=0.04)


def test_fractions_hold_within_the_part_that_is_asked_for():
    low, high = (2.0, 0.0, 2.0), (14.0, 12.0, 18.0)
    part = ct.simulate.calendered(SIZE, within_um=(low, high), seed=2)
    shape = tuple(round((b - a) / 0.05) for a, b in zip(low, high, strict=True))
    codes = part.labels(0.05, origin=[a + 0.025 for a in low], shape=shape).values
    assert (codes == AM).mean() == pytest.approx(0.69, abs=0.012)
    assert contact_of(codes, (0, 2)) == pytest.approx(0.54, abs=0.02)


def test_cycling_takes_contact_away_and_nothing_else(codes, aged_codes):
    assert contact_of(aged_codes, (0, 2)) == pytest.approx(0.43, abs=0.02)
    changed = codes != aged_codes
    assert changed.any()
    assert (aged_codes[changed] == PORE).all()


def test_cracks_stay_where_they_were(cathode):
    few, many = (draw_cracks(cathode.pressed, cathode.model, share) for share in (0.05, 0.5))
    np.testing.assert_array_equal(few[:, :4], many[:, :4])
    through = [np.isneginf(table[:, 8]) for table in (few, many)]
    assert not (through[0] & ~through[1]).any()
    assert through[1].sum() > through[0].sum()


def test_small_particles_do_not_crack(cathode):
    cracks = draw_cracks(cathode.pressed, cathode.model, 1.0)
    radius = np.cbrt(cathode.pressed.particles[["a_um", "b_um", "c_um"]].prod(axis=1))
    small = (2 * radius < cathode.model.crack_from_um).to_numpy()
    assert small.any()
    assert (cracks[small, 4] == 0).all()


def test_a_window_is_that_part_of_the_whole(cathode, codes):
    window = cathode.labels(0.05, origin=(3.025, 2.025, 4.025), shape=(20, 30, 40)).values
    np.testing.assert_array_equal(window, codes[60:80, 40:70, 80:120])


def test_it_repeats_itself_along_the_coating_but_for_where_binder_lets_go(cathode):
    far = [0.025 + 20.0 if d == "x" else 0.025 for d in "zyx"]
    here = cathode.labels(0.05, shape=(20, 100, 100)).values
    there = cathode.labels(0.05, shape=(20, 100, 100), origin=far).values
    np.testing.assert_array_equal(here == AM, there == AM)


def test_turned_by_a_quarter_it_is_the_same(cathode, codes):
    pose = np.eye(4)
    pose[:3, :3] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]  # z of the view is x of the specimen
    turned = cathode.labels(0.05, origin=(2.025, 1.025, -9.975), shape=(40, 60, 50), pose=pose).values
    straight = codes[150:200, 20:80, 40:80]  # z from 7.5, x from 2
    same = turned.transpose(2, 1, 0)[::-1] == straight
    assert same.mean() > 0.999


def test_the_collector_lies_beyond_the_end(cathode):
    labels = cathode.labels(0.5, origin=(0, 18, 0), shape=(4, 8, 40)).values
    assert (labels[:, 4:] == ct.Phase.COLLECTOR).all()
    assert not (labels[:, :4] == ct.Phase.COLLECTOR).any()


def test_the_same_seed_gives_the_same_cathode(cathode, codes):
    again = ct.simulate.calendered(SIZE, seed=1).labels(0.05, shape=(20, 400, 400)).values
    np.testing.assert_array_equal(again, codes[:20])
    other = ct.simulate.calendered(SIZE, seed=2).labels(0.05, shape=(20, 400, 400)).values
    assert (other != again).mean() > 0.1


def test_inner_pores_are_closed_and_take_their_share():
    model = ct.simulate.CalenderedModel(inner_porosity=0.1)
    porous = ct.simulate.calendered(
        SIZE, am_fraction=0.55, cbd_fraction=0.3, contact=0.4, model=model, seed=3
    )
    view = View(np.full(3, 0.05), np.full(3, 0.025), (60, 400, 400))
    planes = ct.simulate.scene.Planes.of(view, np.zeros((60, 2)))
    solids = porous.scene(view).solids
    kind, distance, _ = solids.surfaces(planes)
    deep = distance < -model.rim_um - 0.01
    assert (kind[deep] == trimmed.CRACK).mean() == pytest.approx(0.1, abs=0.02)
    rim = (distance < -0.01) & (distance > -model.rim_um + 0.01)
    assert not (kind[rim] == trimmed.CRACK).any()


class TestSurfaces:
    """Distances to balls are known in closed form."""

    EDGE = 0.1

    def solids(self, centres, radii, cracks=None):
        matrices = np.array([np.eye(3) / r**2 for r in radii])
        extents = np.repeat(np.array(radii, float)[:, None], 3, axis=1)
        none = np.zeros((len(radii), 9))
        names = np.arange(len(radii), dtype=np.uint64)
        return trimmed.Particles(
            np.array(centres, float), matrices, extents, names, none if cracks is None else cracks
        )

    def draw(self, solids, gap=0.0, touching=1.0, reach=0.5):
        origins = np.zeros((61, 3))
        origins[:, 0] = np.arange(61) * self.EDGE
        return trimmed.surfaces(solids, origins, (self.EDGE, self.EDGE), (61, 61), reach, gap, touching)

    def grid(self):
        return np.meshgrid(*[np.arange(61) * self.EDGE] * 3, indexing="ij")

    def test_the_distance_to_a_ball(self):
        kind, distance, owner = self.draw(self.solids([[3, 3, 3]], [1.5]))
        z, y, x = self.grid()
        true = np.sqrt((z - 3) ** 2 + (y - 3) ** 2 + (x - 3) ** 2) - 1.5
        near = np.abs(true) < 0.4
        np.testing.assert_allclose(distance[near], true[near], atol=1e-5)
        off = np.abs(true) > 1e-4  # on the surface itself either is right
        np.testing.assert_array_equal(kind[off] == trimmed.SOLID, true[off] < 0)
        assert (owner[true < 0.4] == 0).all()
        assert (owner[true > 0.6] == -1).all()

    def test_two_balls_that_touch_are_one_body_and_others_are_parted_by_the_gap(self):
        pair = self.solids([[3, 3, 2], [3, 3, 4]], [1.3, 1.3])
        joined = self.draw(pair, gap=0.4, touching=1.0)[0]
        parted, distance, _ = self.draw(pair, gap=0.4, touching=0.0)
        assert (joined[30, 30, 10:50] == trimmed.SOLID).all()
        across = np.flatnonzero(parted[30, 30, 15:45] != trimmed.SOLID)
        assert len(across) * self.EDGE == pytest.approx(0.4, abs=self.EDGE)
        assert distance[30, 30, 30] == pytest.approx(0.2, abs=1e-5)

    def test_a_crack_has_its_width_and_ends_where_it_should(self):
        crack = np.array([[0, 0, 1, 0.0, 0.4, 0, 1, 0, -np.inf]])
        through = self.draw(self.solids([[3, 3, 3]], [2.0], crack))[0]
        assert np.count_nonzero(through[30, 30] == trimmed.CRACK) == pytest.approx(4, abs=1)
        assert (through[30, 14:47, 30] == trimmed.CRACK).all()
        crack[0, 8] = 0.0  # only from the centre towards larger y
        partly = self.draw(self.solids([[3, 3, 3]], [2.0], crack))[0]
        assert (partly[30, 14:29, 30] == trimmed.SOLID).all()
        assert (partly[30, 42:47, 30] == trimmed.CRACK).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contact": 1.2}, "Cannot draw a cathode with contact 1.2"),
        ({"contact": "much"}, "contact 'much'"),
        ({"contact": 0.99}, "Cannot reach contact 0.99"),
        ({"am_fraction": 0.97, "cbd_fraction": 0.01}, "Cannot press particles"),
        ({"am_fraction": 0.8, "cbd_fraction": 0.3}, "together they must stay below 1"),
        ({"within_um": ((0, 0, 0), (90, 1, 1))}, "Cannot set fractions within_um"),
        ({"within_um": "all"}, "Cannot set fractions within_um"),
        ({"seed": -1}, "Cannot simulate with seed -1"),
        ({"size_um": 5.0}, "Give a larger box"),
        ({"size_um": "18"}, "size '18' µm"),
        ({"am_fraction": "0.5"}, "am_fraction '0.5'"),
        ({"diameter_um": "6"}, "diameter_um '6'"),
        ({"diameter_um": True}, "diameter_um True"),
        ({"geometric_sd": "1"}, "geometric_sd '1'"),
        ({"overlap": None}, "overlap None"),
        ({"within_um": [[0, 0, 0], [1, 1]]}, "Cannot set fractions within_um"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        ct.simulate.calendered(**{"size_um": SIZE, **change})


@pytest.mark.parametrize("model", ["x", ct.simulate.FaceModel(), 0])
def test_a_model_of_another_kind_is_refused(model):
    with pytest.raises(TypeError, match="Cannot simulate with model .* a CalenderedModel is needed"):
        ct.simulate.calendered(SIZE, model=model)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"gap_um": float("nan")}, "CalenderedModel with gap_um nan"),
        ({"gap_um": -1}, "gap_um -1"),
        ({"patch_um": float("nan")}, "patch_um nan"),
        ({"patch_um": "1"}, "patch_um '1'"),
        ({"patch_um": 0}, "patch_um 0: a finite number above zero"),
        ({"opening_um": -1}, "opening_um -1"),
        ({"opening_um": float("nan")}, "opening_um nan"),
        ({"opening_rise_um": float("inf")}, "opening_rise_um inf"),
        ({"touching": 5}, "touching 5: a share from 0 to 1"),
        ({"cracked": True}, "cracked True"),
        ({"inner_porosity": 1.0}, "inner_porosity 1.0"),
        ({"crack_um": (float("nan"),) * 2}, "crack_um .nan, nan.*the narrowest first"),
        ({"crack_um": (1,)}, "crack_um .1,."),
        ({"crack_um": 1}, "crack_um 1"),
        ({"crack_um": (0.3, 0.1)}, "crack_um .0.3, 0.1."),
    ],
)
def test_settings_out_of_range_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        ct.simulate.CalenderedModel(**setting)


@pytest.mark.parametrize(
    ("model", "message"),
    [({"patch_um": 1e6}, "blurred by 1e.06 µm"), ({"inner_porosity": 0.1, "inner_um": 1e6}, "nodes")],
)
def test_fields_beyond_memory_are_refused(model, message):
    with pytest.raises(ValueError, match=message):
        ct.simulate.calendered(SIZE, model=ct.simulate.CalenderedModel(**model))


def test_cycling_does_not_heal(cathode):
    with pytest.raises(ValueError, match="contact must not grow"):
        ct.simulate.cycled(cathode, 0.6)
    with pytest.raises(ValueError, match="do not heal"):
        ct.simulate.cycled(cathode, 0.5, fractured=0.0)
    with pytest.raises(TypeError, match="calendered cathode is needed"):
        ct.simulate.cycled(ct.simulate.electrode(20.0), 0.5)
