// What a stand-in does wrong, and when: by script or by chance, the same in every run.
