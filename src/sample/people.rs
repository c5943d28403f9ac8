//! Who does what where: names, countries, machines, texts, many of them not in ASCII.

/// Country codes (ISO 3166) and names (HOT-47).
pub(super) const COUNTRIES: [(&str, &str); 10] = [
    ("MT", "Malta"),
    ("US", "United States"),
    ("DE", "Germany"),
    ("CI", "Côte d'Ivoire"),
    ("AX", "Åland Islands"),
    ("TR", "Türkiye"),
    ("UA", "Ukraine"),
    ("BR", "Brazil"),
    ("JP", "Japan"),
    ("CW", "Curaçao"),
];

/// A device, a browser and a system that go together (HOT-45, HOT-46), with the window's width and
/// height (HOT-52).
pub(super) const MACHINES: [(&str, &str, &str, i64, i64); 7] = [
    ("desktop", "Chrome", "Windows", 1920, 969),
    ("desktop", "Firefox", "Linux", 1280, 1024),
    ("desktop", "Safari", "OS X", 1440, 789),
    ("desktop", "Edge", "Windows", 1536, 730),
    ("mobile", "Safari Mobile", "iOS", 390, 664),
    ("mobile", "Chrome Mobile", "Android", 412, 785),
    ("tablet", "Safari Mobile", "iOS", 820, 1106),
];

/// What somebody writes in one line.
pub(super) const WORDS: [&str; 8] = [
    "Cheaper shipping",
    "Dunkelmodus, bitte!",
    "Ще більше кольорів",
    "検索が使いやすい",
    "Não encontrei o botão \"Comprar\"",
    "It's fine 👍🏽",
    "مقاسات أكبر",
    "Prix < 20 € & livraison",
];

/// What somebody writes in several.
pub(super) const TEXTS: [&str; 5] = [
    "I was looking for the size chart.\n\nIt should be next to the price.",
    "Die Seite lädt langsam –\nbesonders die Bilder.",
    "Дуже зручно, дякую!\n\tАле пошук не знаходить «їжак».",
    "注文履歴が見つかりませんでした。\nもう少し目立つ場所に置いてください。",
    "C:\\Users\\me> \"export\" fails with 100 % CPU \u{1f525}",
];

/// First names, for addresses of e-mail.
pub(super) const NAMES: [&str; 8] = [
    "anna", "olena", "jose", "mei", "tom", "fatima", "lars", "ines",
];

/// Host names that nobody has (RFC 2606).
pub(super) const HOSTS: [&str; 3] = ["example.com", "example.org", "mail.example.net"];

/// What a shop sells.
pub(super) const GOODS: [(&str, &str, i64); 6] = [
    ("TEA-250", "Earl Grey, 250 g", 1290),
    ("MUG-01", "Mug “Größe L”", 990),
    ("KETTLE", "Kettle 1.7 l", 4999),
    ("HONEY-S", "Miód lipowy", 850),
    ("CUP-JP", "湯呑み", 2400),
    ("GIFT", "Gift card", 2500),
];
