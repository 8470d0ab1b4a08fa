"""What a user may ask of a performance, and timelines: values that change over time.

A timeline is written `VALUE` or `0:neutral 2.5:happy@2 6:sad`: keys `SECONDS:VALUE`, in any order, held until the
next key and blended into it by whoever plays it.
"""
