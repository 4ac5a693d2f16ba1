"""Calls the functions of ezomero."""

import contextlib
import io
import os
import sys
import tempfile

import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import ezomero  # noqa: E402
from ezomero import rois  # noqa: E402
from gateway import connect, report  # noqa: E402

conn = connect()
IMAGE, DATASET, PROJECT, PLATE, SCREEN = (int(a) for a in sys.argv[1:6])


def lists():
    wells = ezomero.get_well_ids(conn, plate=PLATE)
    runs = ezomero.get_plate_acquisition_ids(conn, plate=PLATE)
    return {
        "projects": sorted(ezomero.get_project_ids(conn)), "datasets": sorted(ezomero.get_dataset_ids(conn, project=PROJECT)),
        "loose datasets": sorted(ezomero.get_dataset_ids(conn)), "images": sorted(ezomero.get_image_ids(conn, dataset=DATASET)),
        "images of project": sorted(ezomero.get_image_ids(conn, project=PROJECT)), "loose images": sorted(ezomero.get_image_ids(conn)),
        "screens": ezomero.get_screen_ids(conn), "plates": ezomero.get_plate_ids(conn, screen=SCREEN), "wells": sorted(wells), "runs": sorted(runs),
        "images of plate": sorted(ezomero.get_image_ids(conn, plate=PLATE)), "images of well": sorted(ezomero.get_image_ids(conn, well=wells[0])),
        "images of run": sorted(ezomero.get_image_ids(conn, plate_acquisition=runs[0])), "well": wells[0], "run": runs[0],
        "well at": ezomero.get_well_id(conn, PLATE, 1, 2),
        "maps": sorted(ezomero.get_map_annotation_ids(conn, "Image", IMAGE)), "maps in namespace": ezomero.get_map_annotation_ids(conn, "Image", IMAGE, ns="example.org/pipeline"),
        "tags": sorted(ezomero.get_tag_ids(conn, "Image", IMAGE)), "tag": ezomero.get_tag(conn, ezomero.get_tag_ids(conn, "Image", IMAGE)[0]),
        "comments": sorted(ezomero.get_comment_annotation_ids(conn, "Image", IMAGE)), "files": ezomero.get_file_annotation_ids(conn, "Image", IMAGE),
        "rois": sorted(ezomero.get_roi_ids(conn, IMAGE)), "group": ezomero.get_group_id(conn, "lab"), "user": ezomero.get_user_id(conn, "juergen"),
        "paths": [ezomero.get_original_filepaths(conn, IMAGE, fpath=where) for where in ("repo", "client")],
        "levels": ezomero.get_pyramid_levels(conn, IMAGE), "series": ezomero.get_series_index(conn, IMAGE),
        "by name": ezomero.filter_by_filename(conn, ezomero.get_image_ids(conn, dataset=DATASET), "glomerulus.ome.tiff"),
        "by pair": ezomero.filter_by_kv(conn, ezomero.get_image_ids(conn, dataset=DATASET), "species", "mouse"),
        "by tag": ezomero.filter_by_tag_value(conn, ezomero.get_image_ids(conn, dataset=DATASET), "Phalloidin"),
    }


def pixels():
    img, whole = ezomero.get_image(conn, IMAGE, dim_order="tczyx")
    _, part = ezomero.get_image(conn, IMAGE, start_coords=[10, 20, 1, 1, 0], axis_lengths=[30, 40, 2, 2, 1], dim_order="tczyx")
    _, padded = ezomero.get_image(conn, IMAGE, start_coords=[250, 250, 0, 0, 0], axis_lengths=[10, 10, 1, 1, 1], pad=True, dim_order="tczyx")
    plane = img.getPrimaryPixels().getPlane(2, 1, 0)
    return {"shape": whole.shape, "plane": bool((whole[0, 1, 2] == plane).all()), "part": bool((part == whole[:, 1:3, 1:3, 20:60, 10:40]).all()),
            "part shape": part.shape, "padded": [padded.shape, bool((padded[0, 0, 0, :6, :6] == whole[0, 0, 0, 250:, 250:]).all()), int(padded[0, 0, 0, 6:, 6:].max())]}


SHAPES = [
    rois.Point(1.5, 2.5, z=0, label="Punkt ß"), rois.Line(1, 2, 3, 4, z=1, stroke_color=(255, 0, 0, 255), stroke_width=2.0),
    rois.Rectangle(1, 2, 30, 40, z=0, t=0, fill_color=(1, 2, 3, 4)), rois.Ellipse(5, 6, 7, 8), rois.Polygon([(1, 2), (3, 4), (5, 0)], label="p"),
    rois.Polyline([(0, 0), (9.5, 9.5)]), rois.Label(7, 8, "Schild", 12),
]


def quiet(call):
    """Runs a function that prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return call()


def posts():
    project = ezomero.post_project(conn, "ez Projekt ü", "mit Beschreibung")
    dataset = ezomero.post_dataset(conn, "ez Daten", project_id=project, description="d")
    alone, screen = ezomero.post_dataset(conn, "allein"), ezomero.post_screen(conn, "ez Screen", "s")
    a = (numpy.arange(20 * 16 * 2 * 3) % 200).astype(numpy.uint8).reshape(1, 3, 2, 16, 20)
    image = ezomero.post_image(conn, a, "ez Bild", description="b", dataset_id=dataset, dim_order="tczyx")
    copied = ezomero.post_image(conn, a[:, :2], "ez Kopie", dataset_id=dataset, source_image_id=image, channel_list=[0, 2], dim_order="tczyx")
    _, back = ezomero.get_image(conn, image, dim_order="tczyx")
    _, copy_back = ezomero.get_image(conn, copied, dim_order="tczyx")
    m = ezomero.post_map_annotation(conn, "Dataset", dataset, {"größe": "5 µm", "n": 3}, "ez/map")
    before = ezomero.get_map_annotation(conn, m)
    ezomero.put_map_annotation(conn, m, {"neu": ["1", "2"]}, ns="ez/changed")
    comment = ezomero.post_comment_annotation(conn, "Dataset", dataset, "Kommentar ä", "ez/comment")
    ezomero.put_description(conn, "Dataset", dataset, "neue Beschreibung")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "werte ü.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write("a,b\n1,2\n")
        attached = ezomero.post_file_annotation(conn, path, "ez/file", object_type="Dataset", object_id=dataset, mimetype="text/csv")
        got = ezomero.get_file_annotation(conn, attached, folder_path=folder)
        with open(got, encoding="utf-8") as f:
            text = f.read()
    ezomero.link_datasets_to_project(conn, [alone], project)
    ezomero.link_images_to_dataset(conn, [image], alone)
    roi = ezomero.post_roi(conn, image, SHAPES, name="ez ROI", description="Form")
    shapes = [ezomero.get_shape(conn, s) for s in ezomero.get_shape_ids(conn, roi)]
    return {
        "project": project, "dataset": dataset, "alone": alone, "screen": screen, "image": image, "copied": copied,
        "same": [bool((back == a).all()), bool((copy_back == a[:, :2]).all())], "map": m, "pairs": [before, ezomero.get_map_annotation(conn, m)],
        "comment": [comment, ezomero.get_comment_annotation(conn, comment)], "file": [attached, os.path.basename(got), text],
        "roi": roi, "shapes": [type(s).__name__ for s in shapes], "equal": [alike(s, w) for s, w in zip(shapes, SHAPES)],
    }


def alike(got, want):
    """Whether a shape came back as it went, but for what was left to defaults."""
    a, b = vars(got), vars(want)
    return {k: [a.get(k), v] for k, v in b.items() if v is not None and a.get(k) != v and k not in DEFAULTS}


DEFAULTS = ("fill_color", "stroke_color", "stroke_width")


def printed():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        ezomero.print_groups(conn)
        ezomero.print_projects(conn)
    switched = ezomero.set_group(conn, ezomero.get_group_id(conn, "private"))
    return {"text": out.getvalue(), "switched": switched, "group": int(conn.SERVICE_OPTS.getOmeroGroup())}


report({"lists": lists(), "pixels": pixels(), "posts": quiet(posts), "printed": printed()})
conn.close()
