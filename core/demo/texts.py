"""Names and sentences that made-up programmes and people are made of."""

from dataclasses import dataclass

from db.words import Kind


def _words(said: str) -> tuple[str, ...]:
    return tuple(said.split())


FIRST_NAMES = _words("""
    Amara Nadia Oliver Priya Jonah Mei Lukas Sofia Hamza Freya Tomasz Aoife Kwame Elena Daniel Yuki Leila Marcus
    Ingrid Owen Zainab Felix Clara Ravi Hannah Mateo Siobhan Ibrahim Greta Noah Anika Paulo Emily Chidi Marta Liam
    Farah Jasper Lucía Samuel Ayesha Henrik Rosa Callum Thandi Victor Maya Dmitri Isabel Finn Nkechi Adam Linh
    Petra George Sana Theo Carmen Rory Dilan Eva Malik Bridget Kofi Helena Arjun Louise Omar Agnes Julian Tara
    Stefan Naomi Ewan Fatima Hugo Ciara Joseph Lin Vera Niall Esme Tariq Johanna Isaac Mirela Patrick Anouk Caleb
    Shreya Magnus Orla Diego Ada Nils Rania Conor Ivy Jakub Salma
""")
LAST_NAMES = _words("""
    Okafor Lindqvist Patel Murphy Novak Haddad Schneider Rossi Kowalski Mensah Tanaka Hughes Silva Ahmed Fischer
    Walsh Moreau Osei Jensen Khan Doyle Petrov Evans Nguyen Weber Costa Reid Hoffmann Diallo Barnes Kelly Yilmaz
    Larsen Fraser Mbeki Gallagher Romero Wagner Sinclair Abbas Nolan Keller Ferreira Shaw Bauer Iyer Quinn Santos
    Holm Rahman Price Vogel Lynch Adeyemi Castillo Brandt Hayes Suzuki Kaur Brennan Richter Duarte Foster Amin
    Nielsen Healy Marsh Popescu Wolf Chowdhury Burke Lang Ortega Simmons Farouk Dunne Krüger Almeida Pearce Sato
    Whelan Roth Bose Carver Mikkelsen Daly Ndlovu Horvat Grant Ismail Kavanagh Peters Zhou Lambert Ryan Becker
    Mahmoud Ellis Fonseca Power Hartmann Das Cole Eriksen Nwosu Byers Ivanov
""")


@dataclass(frozen=True)
class Material:
    """What one programme is about, and when its people meet."""

    kind: Kind
    name: str
    zone: str
    currency: str
    courses: dict[str, tuple[str, ...]]
    """Each course with what its sessions take up."""
    aspects: tuple[str, ...]
    notes: tuple[str, ...]
    places: tuple[str, ...]
    rooms: tuple[str, ...]
    timetables: tuple[str, ...]
    slots: tuple[tuple[int, ...], ...]
    """Monday to Sunday: starts in minutes after local midnight, so far apart that no two sessions overlap."""
    minutes: tuple[int, ...]
    days: tuple[float, ...]
    """How much is going on, Monday to Sunday."""
    share: float
    share_at_scale: float


def _every(first: int, last: int, step: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1, step))


MATERIALS = (
    Material(
        Kind.PEER_ADVICE, "Open Door Peer Advice", "Europe/London", "GBP",
        {
            "Housing": ("Deposit not returned", "Repairs the landlord ignores", "Moving out early", "Sharing bills"),
            "Money": ("Council tax arrears", "A budget that holds", "Overdraft and fees", "Student finance appeal"),
            "Work": ("Zero-hours contract", "First payslip", "Unpaid trial shift", "Asking for flexible hours"),
            "Health and care": ("Registering with a GP", "Young carer's grant", "Sleep before exams"),
            "Studying": ("Extenuating circumstances", "Changing course", "Coming back after a break"),
        },
        ("first conversation", "going through the letters", "what to say on the phone", "next steps", "looking back"),
        (
            "Please have the last two letters ready, photos are fine.",
            "She would rather not be called at home. Text first.",
            "Bring the tenancy agreement; we will read clause 8 together.",
            "Wants to decide by the end of the month. Keep it practical.",
            "Third time we talk about this, so start from the list we made.",
        ),
        ("Students' union, desk 3", "Phone call", "Library café", "Online"),
        ("Quiet room", "Garden room", "Desk by the window"), ("Weekday drop-in", "Saturday advice"),
        (*[_every(540, 1080, 60)] * 5, _every(540, 900, 60), ()), (45, 60), (1, 1, 1, 1, 0.8, 0.4, 0), 0.12, 0.04,
    ),
    Material(
        Kind.EVENT_MENTORING, "Elbe Founders Challenge", "Europe/Berlin", "EUR",
        {
            "Health": ("Talking to first patients", "What the regulator asks", "Pilot with one clinic"),
            "Climate": ("Measuring what is saved", "Who pays for it", "Hardware on a small budget"),
            "Learning": ("Testing with one class", "Teachers as customers", "Onboarding in five minutes"),
            "Local life": ("The first ten shops", "Pricing for associations", "A launch without advertising"),
        },
        ("problem interview notes", "business model on one page", "prototype review", "numbers for the jury",
         "pitch, second run", "feedback after the demo"),
        (
            "They changed their target group last week; ask what they learned before looking at slides.",
            "Bring two numbers only: how many people were asked, how many said yes.",
            "The team wants honest feedback on the first three slides.",
            "Please check whether the prototype runs without Wi-Fi.",
            "One of them cannot make it and will read the notes afterwards.",
        ),
        ("Speicherhaus, table 4", "Video call", "Speicherhaus, foyer", "Kontorhof"),
        ("Hafenraum", "Werkstatt", "Studio Nord", "Studio Süd"),
        ("Weekday mentoring", "Weekend clinic", "Pitch practice evenings"),
        (*[_every(600, 1200, 30)] * 5, _every(600, 1080, 30), _every(660, 1020, 30)), (30,),
        (0.7, 0.8, 0.8, 1, 1, 1, 0.4), 0.18, 0.06,
    ),
    Material(
        Kind.APPRENTICESHIP, "Northfield Apprenticeships", "Europe/London", "GBP",
        {
            "Business Administrator, level 3": ("Minutes that people use", "Project improvement", "Record keeping"),
            "Digital Support Technician, level 3": ("Ticket triage", "Data protection at the desk", "User training"),
            "Early Years Educator, level 3": ("Observation and planning", "Safeguarding case study", "Outdoor play"),
            "Team Leader, level 3": ("Giving feedback", "Planning a rota", "Leading a small project"),
            "Adult Care Worker, level 2": ("Moving and handling", "Person-centred plan", "Communication needs"),
            "Plumbing and Heating, level 3": ("Unvented systems", "Risk assessment on site", "Evidence from the job"),
        },
        ("evidence review", "professional discussion", "targets for the next month", "portfolio check",
         "workplace observation", "mock assessment"),
        (
            "Line manager joins for the last ten minutes. Keep the targets short enough to read aloud.",
            "Two pieces of evidence are still missing for unit 4; start there.",
            "Check off-the-job hours before the review, the log stopped in the second week.",
            "Learner asked for extra time with the written part.",
            "Sign in at reception and ask for the site supervisor.",
            "Maths test is booked for next month: agree what to practise.",
        ),
        ("At the workplace", "Northfield Centre", "Video call", "Phone call"),
        ("Smart room 1", "Smart room 2", "Room 1.04", "Room 1.07", "Room 2.01", "Workshop B", "Assessment room"),
        ("Centre days", "Workplace visits"),
        (*[_every(540, 1020, 120)] * 5, (), ()), (60, 60, 60, 90, 45), (0.9, 1, 1, 1, 0.7, 0, 0), 0.26, 0.70,
    ),
    Material(
        Kind.COACHING, "Harbor Street Coaching", "America/New_York", "USD",
        {
            "Leading people": ("The first hundred days", "A conversation that is overdue", "Delegating for real"),
            "Focus": ("Saying no kindly", "A calendar with air in it", "Finishing before starting"),
            "Change": ("Between two jobs", "Back from leave", "A new boss"),
            "Voice": ("Speaking up in large meetings", "Writing shorter", "Asking for what it is worth"),
        },
        ("setting the goal", "what got in the way", "rehearsal", "midway look", "what changed", "closing the loop"),
        (
            "Last time we ended on the question of what would be good enough. Start with that.",
            "Prefers to walk while talking; phone is fine.",
            "Has the staff meeting right before. Leave five minutes to land.",
            "Bring the feedback letter, only the two sentences that stung.",
            "We agreed to look at the plan with fresh eyes.",
        ),
        ("Online", "Harbor Street, 3rd floor", "Phone call", "At the member's office"),
        ("Blue room", "Corner room", "Roof room"), ("Mornings", "After work"),
        (*[_every(480, 1140, 60)] * 5, _every(540, 900, 60), ()), (45, 60, 60), (0.8, 1, 1, 1, 0.6, 0.15, 0),
        0.18, 0.08,
    ),
    Material(
        Kind.TUTORING, "Liffey Tutors", "Europe/Dublin", "EUR",
        {
            "Maths": ("Fractions", "Quadratic equations", "Word problems", "Trigonometry", "Probability"),
            "English": ("Essay structure", "Reading comprehension", "Macbeth", "Poetry, unseen"),
            "Irish": ("Oral practice", "An Triail", "Verbs in the past tense"),
            "Science": ("Electric circuits", "Cells and tissue", "Balancing equations"),
            "French": ("Listening paper", "Passé composé", "Talking about a film"),
        },
        ("the basics again", "homework that got stuck", "past paper questions", "test on Friday", "a first try alone",
         "what was marked wrong"),
        (
            "Start with the homework from Tuesday, question 5 went wrong for the whole class.",
            "Loves examples with football. Short tasks, then a break.",
            "Mock exam in two weeks: one past paper, timed, then talk it through.",
            "Mum asks for a word at the end about how much to practise.",
            "He knows more than he thinks; let him explain it to you.",
            "Please bring the blue workbook and a ruler.",
        ),
        ("At home", "Online", "Rathmines library", "Online"),
        ("Study room 1", "Study room 2", "Study room 3"), ("After school", "Saturday school"),
        (*[(600, 675, 840, 915, 990, 1065, 1140)] * 5, (540, 615, 690, 765, 840, 915), (615, 690, 840, 915)),
        (45, 60, 60), (1, 1, 1, 1, 0.6, 0.8, 0.2), 0.26, 0.12,
    ),
)

TEAMS = {
    "Seilbahn": "Cargo bikes that share one battery", "Kiezküche": "Leftover canteen meals for the neighbourhood",
    "Zweites Regal": "A shelf in every shop for things on loan", "Lotsenbuch": "Paperwork for newcomers, step by step",
    "Moorleicht": "Insulation made from peatland plants", "Pflegepuls": "A calmer handover between care shifts",
    "Werkbank": "Repair evenings in school workshops", "Hörbar": "Podcasts that teach German by dialect",
    "Regentonne": "Rain barrels that water a street's trees", "Tandem 60": "Pensioners who teach apprentices",
    "Nachtlicht": "Safer ways home, lit on demand", "Blaupause": "Plans for small builders, checked in a day",
    "Wattzähler": "Electricity bills that children understand", "Mitfahrbank": "Benches where lifts are offered",
    "Salzgarten": "Vegetables that grow in salty soil", "Fundus": "Costumes and props shared by theatres",
}
GROUPS = ("Monday circle", "First-year peers", "Returners", "Evening group", "Housing circle", "Carers' group")
AWAY_FOR = ("Holiday", "Training", "Moving house", "Family", None)
CANCEL_REASONS = (
    "Ill today, sorry.", "The train is not running.", "School trip that day.", "A meeting at work cannot be moved.",
    "Exam was moved to that morning.", "Family matter.", "The room has no heating this week.",
    "No longer needed, the question is solved.",
)
