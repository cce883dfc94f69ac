// The keys of the cluster that extractions run in.

extension SettingKey {
    static let kubernetes = [
        text(
            "kubernetes.cluster",
            \.kubernetes,
            \.cluster,
            "a cluster's name",
            "The EKS cluster in which functions launch extractions; workers extract by themselves."
        ),
        text(
            "kubernetes.url",
            \.kubernetes,
            \.url,
            "a URL",
            "The cluster's API, such as http://127.0.0.1:8001, instead of what EKS says of it."
        ),
        text("kubernetes.namespace", \.kubernetes, \.namespace, "a namespace", "Where extractions run."),
        text("kubernetes.image", \.kubernetes, \.image, "an image", "The image of extractions, with tag or digest."),
        text(
            "kubernetes.service-account",
            \.kubernetes,
            \.serviceAccount,
            "a service account",
            "What extractions run as; its pod identity or role is what they may do on AWS."
        ),
        text("kubernetes.cpu", \.kubernetes, \.cpu, "a quantity", "What an extraction asks of the cluster's CPU."),
        text("kubernetes.memory", \.kubernetes, \.memory, "a quantity", "What an extraction asks of its memory."),
        integer(
            "kubernetes.deadline",
            \.kubernetes.deadline,
            60...31_536_000,
            "seconds",
            "After so long the cluster ends an extraction; a resume goes on from its checkpoints."
        ),
    ]
}
