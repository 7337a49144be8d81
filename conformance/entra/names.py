"""Raw material for an invented company: people's names in many scripts, places, departments, titles, names of groups.

A name is written `native=latin`; where `=latin` is missing the Latin form is the native one without its diacritics. The Latin form is what
user principal names are made of: they are ASCII in Entra, apostrophe, dot, dash and underscore included.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_LATIN = str.maketrans(
    {
        "ø": "o",
        "Ø": "O",
        "ß": "ss",
        "ł": "l",
        "Ł": "L",
        "æ": "ae",
        "Æ": "Ae",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "þ": "th",
        "Þ": "Th",
        "ı": "i",
        "ʻ": "'",
    }
)


def latin(text: str) -> str:
    """ASCII letters of a Latin name: `Łukasz` → `Lukasz`, `O’Brien` → `O'Brien`."""
    plain = unicodedata.normalize("NFKD", text.translate(_LATIN)).replace("’", "'")
    return "".join(c for c in plain if c.isascii() and (c.isalnum() or c in "'-"))


@dataclass(frozen=True, slots=True)
class Name:
    native: str
    latin: str


@dataclass(frozen=True, slots=True)
class Culture:
    language: str
    given: tuple[Name, ...]
    family: tuple[Name, ...]
    family_first: bool = False
    joiner: str = " "


def _names(text: str) -> tuple[Name, ...]:
    pairs = (item.strip().partition("=") for item in text.split("|"))
    return tuple(Name(native, latin(roman or native)) for native, _, roman in pairs)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


# Most accents are composed; "Zoë" is e + U+0308: both must come back as they were sent.
CULTURES = (
    Culture(
        "da-DK",
        _names("Ines|Søren|Åse|Jørgen|Mads|Freja|Bjørn|Karen-Margrethe"),
        _names("Ravn|Østergård|Kjær|Sørensen|Lund|Præstegaard|Bæk"),
    ),
    Culture(
        "de-DE",
        _names("Jürgen|Käthe|Björn|Ulrike|Götz|Anneliese"),
        _names("Müller|Weiß|Großmann|von der Höhe|Meyer-Förster|Lindenschmidt"),
    ),
    Culture(
        "fr-FR",
        _names("Éloïse|Benoît|José|Zoe\u0308|François|Hélène"),
        _names("Lefèvre|d’Aubigné|Dûchène|L'Écuyer|Noël|Garçon"),
    ),
    Culture(
        "en-IE",
        _names("Maeve|Siobhán|Liam|Róisín|Conor|Ada"),
        _names("O'Brien|O’Neill|D'Arcy|Mac Giolla Phádraig|Lovelace|Byrne"),
    ),
    Culture(
        "pl-PL",
        _names("Łukasz|Żaneta|Małgorzata|Stanisław|Zofia"),
        _names("Wiśniewski|Żółć|Błaszczykowska|Nowak|Śliwa"),
    ),
    Culture(
        "vi-VN",
        _names("Thị Hương|Văn Đức|Quỳnh|Tuấn"),
        _names("Nguyễn|Trần|Phạm|Đặng"),
        True,
    ),
    Culture(
        "is-IS",
        _names("Þóra|Guðrún|Sigurður|Eyjólfur"),
        _names("Þorvaldsdóttir|Guðmundsson|Eyjafjallajökulsson|Ægisdóttir"),
    ),
    Culture(
        "tr-TR",
        _names("İpek|Işıl|Çağla|Ömer"),
        _names("Yıldız|Şimşek|Güneş|İnönü"),
    ),
    Culture(
        "el-GR",
        _names("Ελένη=Eleni|Γιώργος=Giorgos|Δέσποινα=Despina|Οδυσσέας=Odysseas"),
        _names("Παπαδοπούλου=Papadopoulou|Αγγελής=Angelis|Σωτηρίου=Sotiriou|Ξένος=Xenos"),
    ),
    Culture(
        "uk-UA",
        _names("Олена=Olena|Тарас=Taras|Ґанна=Hanna|Євген=Yevhen"),
        _names("Щербаківська=Shcherbakivska|Їжакевич=Yizhakevych|Коваль=Koval|Дем'янчук=Demianchuk"),
    ),
    Culture(
        "ru-RU",
        _names("Наталья=Natalya|Фёдор=Fyodor|Юлия=Yuliya|Лев=Lev"),
        _names("Достоевская=Dostoevskaya|Щукин=Shchukin|Ёлкина=Yolkina|Соловьёв=Solovyov"),
    ),
    Culture(
        "ar-EG",
        _names("فاطمة=Fatima|محمّد=Mohammed|ليلى=Layla|عبد الرحمن=Abdelrahman"),
        _names("الشريف=Elsherif|نجيب=Naguib|المصري=Elmasry|حسنين=Hassanein"),
    ),
    Culture(
        "he-IL",
        _names("רחל=Rachel|יצחק=Yitzhak|נֹעָה=Noa|דוד=David"),
        _names("לוי=Levi|בן־גוריון=BenGurion|כהן=Cohen|מזרחי=Mizrahi"),
    ),
    Culture(
        "hi-IN",
        _names("प्रिया=Priya|अर्जुन=Arjun|श्रीलक्ष्मी=Shrilakshmi|कृष्ण=Krishna"),
        _names("शर्मा=Sharma|त्रिपाठी=Tripathi|चट्टोपाध्याय=Chattopadhyay|सिंह=Singh"),
    ),
    Culture(
        "zh-CN",
        _names("伟=Wei|秀英=Xiuying|子涵=Zihan|𠮷明=Jiming"),
        _names("王=Wang|欧阳=Ouyang|李=Li|诸葛=Zhuge"),
        True,
        joiner="",
    ),
    Culture(
        "ja-JP",
        _names("美咲=Misaki|蓮=Ren|さくら=Sakura|ヴィクトル=Vikutoru"),
        _names("佐藤=Sato|髙橋=Takahashi|渡邉=Watanabe|小鳥遊=Takanashi"),
        True,
    ),
    Culture(
        "ko-KR",
        _names("서연=Seoyeon|민준=Minjun|하은=Haeun|지훈=Jihoon"),
        _names("김=Kim|박=Park|남궁=Namgung|최=Choi"),
        True,
        joiner="",
    ),
    Culture(
        "th-TH",
        _names("สมชาย=Somchai|พิมพ์ชนก=Phimchanok|กิตติพงษ์=Kittiphong"),
        _names("ศรีสุวรรณ=Srisuwan|วงศ์ประเสริฐ=Wongprasert|ณ อยุธยา=NaAyutthaya"),
    ),
)

LONG_FAMILY = (
    Name("Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaferswessenschafe", "wolfeschlegelstein"),
    Name("Keihanaikukauakahihuliheʻekahaunaele", "keihanaikukauakahi"),
    Name("Taumatawhakatangihangakoauauotamateaturipukakapikimaungahoronukupokaiwhenuakitanatahu", "taumatawhakatangi"),
    Name("de Todos los Santos y de la Santísima Trinidad de Borbón-Dos Sicilias y Habsburgo-Lorena", "detodoslossantos"),
)

# Appended to a display name; joined sequences, skin tones and flags are several code points each.
EMOJI = ("🌊", "⚓️", "👩‍💻", "🧑🏾‍🔧", "🇬🇱", "🏳️‍🌈", "❤️‍🔥")


@dataclass(frozen=True, slots=True)
class Office:
    city: str
    state: str
    postal_code: str
    country: str
    dialling: str
    streets: tuple[str, ...]


OFFICES = (
    Office("Aarhus", "Midtjylland", "8000", "DK", "+45", ("Pier 4", "Åboulevarden 12", "Mejlgade 7, 2. tv.")),
    Office("Hamburg", "Hamburg", "20457", "DE", "+49 40", ("Am Sandtorkai 50", "Große Elbstraße 9")),
    Office("Gdańsk", "pomorskie", "80-958", "PL", "+48 58", ("ul. Długa 81/83", "Grunwaldzka 472")),
    Office("Πειραιάς", "Αττική", "185 38", "GR", "+30 21", ("Ακτή Μιαούλη 85", "Νοταρά 92")),
    Office("Одеса", "Одеська область", "65014", "UA", "+380 48", ("Ланжеронівська, 1", "вул. Дерибасівська, 10")),
    Office("الإسكندرية", "الإسكندرية", "21500", "EG", "+20 3", ("شارع الكورنيش ١٢", "ميدان سعد زغلول")),
    Office("חיפה", "מחוז חיפה", "3303501", "IL", "+972 4", ("דרך העצמאות 45", "שדרות בן־גוריון 8")),
    Office("मुंबई", "महाराष्ट्र", "400001", "IN", "+91 22", ("बैलार्ड एस्टेट 3", "Shahid Bhagat Singh Rd, Fort")),
    Office("上海", "上海市", "200080", "CN", "+86 21", ("北外滩东大名路501号", "中山东一路12号")),
    Office("横浜市", "神奈川県", "231-0002", "JP", "+81 45", ("中区海岸通1-1", "西区みなとみらい2丁目2-1")),
    Office("부산광역시", "부산", "48943", "KR", "+82 51", ("중구 충장대로 11", "해운대구 센텀중앙로 79")),
    Office("แหลมฉบัง", "ชลบุรี", "20230", "TH", "+66 38", ("ถนนสุขุมวิท 388",)),
    Office("Dún Laoghaire", "Co. Dublin", "A96 C8X2", "IE", "+353 1", ("St. Michael's Pier", "1 Marine Road")),
)

DEPARTMENTS = _words(
    'Operations|Terminal Operations|R&D|Sales / Key Accounts|Sales "North"|'
    "Finance & Controlling|Legal, Risk + Compliance|Human Resources|IT|Økonomi|"
    "Vertrieb – Süd|Logistique & Douane|Логистика|物流部|経理部|Customer Care (24/7)|Health_Safety|"
    "100% Service"
)

TITLES = _words(
    "Dock planner|Crane operator|Senior Crane operator|Head of Dockside|Chef d’équipe|"
    "Geschäftsführerin|Λογιστής|Инженер-механик|港口调度员|営業部長|물류 관리자|مدير العمليات|מהנדסת תוכנה|"
    "वरिष्ठ अभियंता|Trainee|Software Engineer II|VP, Terminals & Inland|"
    "Customs Officer (EU/UK)"
)

GROUP_WORDS = _words(
    "Dockside|Crane crew|Night shift|Étoile|Größe XL|Møns Klint|Project 'Albatross'|C# guild|"
    "Badge^Access|~temp|Ops & Safety|100%_on_time|Budget+Forecast|Team (EMEA)|Ελλάδα|"
    "Проект «Волна»|港湾チーム|중앙그룹|فريق الميناء|צוות רציף|टीम समुद्र|ทีมท่าเรือ|🚢 Fleet|a.b.c"
)
