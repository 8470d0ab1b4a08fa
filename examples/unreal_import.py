"""Play a curve file of `vultus rig --format metahuman` on a MetaHuman, inside the Unreal Editor.

Open the level sequence in which the MetaHuman stands with its Face_ControlBoard_CtrlRig, then run in the editor's
Output Log, set to Python (plug-in "Python Editor Script Plugin"):

    import sys; sys.path.append(r"C:/path/to/folder"); import unreal_import
    unreal_import.import_curves(r"C:/path/to/curves.csv")

Every control that moves is keyed on every frame; controls that rest at zero all the time are left alone. Works with
the control board of Unreal Engine 5.0 and later. Only the standard library and Unreal's own `unreal` are used.
"""

import csv

RENAMED = {
    "CTRL_C_tongue": "CTRL_C_tongue_move",
    "CTRL_C_tongue_roll": "CTRL_C_tongue_bendTwist",
    "CTRL_C_tongue_tip": "CTRL_C_tongue_tipMove",
    "CTRL_C_tongue_narrowWide": "CTRL_C_tongue_wideNarrow",
}
"""Controls of Epic's Maya board, and of the EmoFace data, that have another name on newer boards in Unreal."""


def read_curves(path):
    """Frames per second and {control: {axis "X" or "Y": [value, ...]}} of a curve file."""
    with open(path, newline="", encoding="utf-8") as file:
        title = file.readline()
        rows = list(csv.DictReader(file))
    if "fps=" not in title or not rows:
        raise ValueError(f"{path} was not written by vultus rig --format metahuman")
    fps = float(title.partition("fps=")[2].partition(",")[0])
    curves = {}
    for column in rows[0]:
        control, dash, axis = column.rpartition("-translate")
        if dash:
            curves.setdefault(control, {})[axis] = [float(row[column]) for row in rows]
    return fps, curves


def import_curves(path, start_frame=0):
    """Key the curves of a file on the face of the MetaHuman in the open level sequence, from `start_frame` on."""
    import unreal

    sequence = unreal.LevelSequenceEditorBlueprintLibrary.get_current_level_sequence()
    if sequence is None:
        raise RuntimeError("open the level sequence of the MetaHuman first")
    rig, known = _face_rig(unreal, sequence)
    fps, curves = read_curves(path)
    count = len(next(iter(next(iter(curves.values())).values())))
    sequence.set_display_rate(unreal.FrameRate(round(fps * 1000), 1000))
    sequence.set_playback_start(start_frame)
    sequence.set_playback_end(start_frame + count)
    frames = [unreal.FrameNumber(start_frame + i) for i in range(count)]
    library, keyed, missing = unreal.ControlRigSequencerLibrary, 0, []
    for control, axes in curves.items():
        if not any(any(values) for values in axes.values()):
            continue
        name = next((n for n in (RENAMED.get(control), control) if n in known), None)
        if name is None:
            missing.append(control)
        elif "X" in axes:
            pairs = list(map(unreal.Vector2D, axes["X"], axes["Y"]))
            library.set_local_control_rig_vector2_ds(sequence, rig, name, frames, pairs)
            keyed += 1
        else:
            library.set_local_control_rig_floats(sequence, rig, name, frames, axes["Y"])
            keyed += 1
    unreal.log(f"vultus: {keyed} controls keyed on {count} frames at {fps:g} fps")
    if missing:
        unreal.log_warning(f"vultus: this control board has no {', '.join(missing)}")


def _face_rig(unreal, sequence):
    """The control rig of the face, and the names of its controls."""
    for proxy in unreal.ControlRigSequencerLibrary.get_control_rigs(sequence):
        rig = proxy.control_rig
        names = {str(key.name) for key in rig.get_hierarchy().get_controls()}
        if "CTRL_C_jaw" in names:
            return rig, names
    raise RuntimeError("the sequence has no Face_ControlBoard_CtrlRig track: add the MetaHuman's face rig to it")
