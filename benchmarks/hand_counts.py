"""Blinks counted by eye: frames in which the lids cover the pupils, first and last, from sheets of every frame.

The sheets showed both eyes of each frame, cut out along the line of the eye corners, with frame numbers and nothing
else; no detector was asked. `DOUBTFUL` lowerings of the lids count neither way.
"""

from __future__ import annotations

Spans = tuple[tuple[int, int], ...]

BLINKS: dict[str, Spans] = {
    "person/anchor_71s.mp4": (
        (1, 3), (94, 96), (112, 114), (157, 158), (192, 193), (261, 263), (292, 293), (360, 361), (415, 418),
        (443, 445), (472, 474), (499, 501), (557, 559), (597, 599), (630, 632), (698, 701), (708, 710), (733, 735),
        (748, 750), (760, 761), (764, 767), (777, 780), (808, 810), (870, 871), (893, 895), (918, 921), (933, 935),
        (937, 940), (998, 1003), (1026, 1028), (1066, 1068), (1149, 1151), (1172, 1173), (1195, 1197), (1237, 1239),
        (1276, 1277), (1301, 1307), (1346, 1353), (1390, 1393), (1413, 1414), (1458, 1459), (1482, 1485), (1529, 1531),
        (1565, 1567), (1605, 1606), (1664, 1665), (1702, 1704), (1739, 1741), (1771, 1773),
    ),
    "talk/Obama_clip1.mp4": (
        (82, 84), (146, 149), (168, 169), (205, 207), (254, 257), (428, 430), (452, 454), (496, 498), (531, 534),
        (573, 576),
    ),
    "talk/andrew_clip_1.mp4": (
        (19, 21), (24, 27), (29, 32), (49, 51), (84, 87), (124, 126), (196, 199), (306, 309), (335, 339), (371, 374),
        (432, 434), (470, 471), (534, 536), (580, 583), (653, 655), (684, 687), (716, 719),
    ),
    "talk/feifeili_clip2_short.mp4": ((62, 67), (156, 160), (361, 369), (436, 451)),
    "hdtf/WDA_KatieHill_000.mp4": ((23, 26), (31, 35), (112, 114), (170, 173)),
}  # fmt: skip
DOUBTFUL: dict[str, Spans] = {
    "talk/Obama_clip1.mp4": ((72, 75), (129, 132), (404, 405), (522, 524)),
    "talk/feifeili_clip2_short.mp4": ((350, 352),),
}
