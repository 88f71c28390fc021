"""Tables of ten more kinds, two groups of tables and three time series, with questions as different people phrase them.

They were written with their right SQL before the engine had been tried on them. `half` splits them at random by a
fixed seed; of the test half only counts were looked at, before the engine was changed and a few times since.

A line: question ## SQL, or several SQLs with || between them. REFUSE: it must be refused. A follow-up has the
questions before it, with > between them.
"""

from __future__ import annotations

import random
from typing import NamedTuple

_DICE = "CREATE FUNCTION dice(i int, salt text, n int) RETURNS int LANGUAGE sql AS $$SELECT ('x' || substr(md5(salt || i), 1, 7))::bit(28)::int % n$$;\n"


def _pick(values: str, salt: str) -> str:
    listed = ",".join(f"'{value}'" for value in values.split("|"))
    return f"(ARRAY[{listed}])[1+dice(i,'{salt}',{values.count('|') + 1})]"


def _table(name: str, rows: int, **columns: str) -> str:
    """Makes a table: columns are type and expression, or `a|b|c` for one of the texts."""
    made, shown = [], []
    for column, definition in columns.items():
        kind, _, value = definition.partition(" = ")
        if not value:
            kind, value = "text", _pick(definition, column)
        made.append(f"{column} {kind}")
        shown.append(value)
    return f"CREATE TABLE {name}({', '.join(made)});\nINSERT INTO {name} SELECT {', '.join(shown)} FROM generate_series(1,{rows}) i;\n"


_REAL = "double precision"
DATABASES = {
    "air": _table(
        "air_measurements",
        420,
        station="Marienplatz|Harbour East|Rue Basse|Old Mill|Airport North|Tunnel Gate",
        city="text = (ARRAY['Munich','Hamburg','Lille','Leeds','Hamburg','Lille'])[1+dice(i,'station',6)]",
        country="text = (ARRAY['Germany','Germany','France','United Kingdom','Germany','France'])[1+dice(i,'station',6)]",
        station_type="text = (ARRAY['traffic','background','industrial','background','traffic','traffic'])[1+dice(i,'station',6)]",
        pollutant="NO2|PM10|PM2.5|O3",
        value_ug_m3=f"{_REAL} = CASE WHEN dice(i,'gap',15)=0 THEN NULL ELSE 2+dice(i,'value',900)/10.0 END",
        measured_on="date = date '2023-01-01'+dice(i,'day',900)",
        validated="boolean = dice(i,'valid',4)>0",
    ),
    "rents": _table(
        "apartments",
        310,
        listing_id="bigint = i",
        district="Mitte|Neukölln|Pankow|Spandau|Wedding",
        rent_eur="bigint = 380+dice(i,'rent',2400)",
        size_sqm=f"{_REAL} = 18+dice(i,'size',1500)/10.0",
        rooms="bigint = 1+dice(i,'rooms',5)",
        floor="bigint = dice(i,'floor',9)",
        furnished="boolean = dice(i,'furn',3)=0",
        balcony="boolean = dice(i,'balc',2)=0",
        energy_class="text = CASE WHEN dice(i,'nocl',8)>0 THEN (ARRAY['A','B','C','D','E'])[1+dice(i,'class',5)] END",
        available_from="date = date '2024-01-01'+dice(i,'avail',540)",
        deposit_eur="bigint = CASE WHEN dice(i,'nodep',6)>0 THEN 600+dice(i,'dep',4000) END",
    ),
    "chess": _table(
        "chess_games",
        380,
        game_id="bigint = i",
        white_player="Ivanova|Duarte|Okafor|Lindqvist|Tanaka|Moreau|Petrov",
        black_player="Bauer|Silva|Chen|Novak|Haddad|Murphy",
        white_elo="bigint = 1400+dice(i,'welo',1200)",
        black_elo="bigint = 1400+dice(i,'belo',1200)",
        winner="white|black|draw|white",
        opening="Sicilian Defense|French Defense|Ruy Lopez|Queens Gambit|Caro-Kann|English Opening",
        moves="bigint = 12+dice(i,'moves',110)",
        played_on="date = date '2021-01-01'+dice(i,'played',1400)",
        time_control="blitz|rapid|bullet|classical",
        termination="resignation|checkmate|time forfeit|agreement",
    ),
    "trials": _table(
        "clinical_trials",
        260,
        trial_id="text = 'CT-'||(1000+i)",
        sponsor="Novigen|Halden Pharma|Carevia|University of Ghent|Meridian Bio",
        phase="Phase 1|Phase 2|Phase 3|Phase 4",
        status="recruiting|completed|terminated|withdrawn|completed",
        condition="asthma|breast cancer|diabetes|migraine|hypertension",
        enrollment="bigint = CASE WHEN dice(i,'noenr',12)>0 THEN 10+dice(i,'enroll',1800) END",
        start_date="date = date '2015-01-01'+dice(i,'start',3000)",
        completion_date="date = CASE WHEN dice(i,'open',4)>0 THEN date '2015-01-01'+dice(i,'start',3000)+100+dice(i,'long',1200) END",
        country="Belgium|United States|Japan|Brazil|Canada",
        randomized="boolean = dice(i,'rnd',3)>0",
        n_sites="bigint = 1+dice(i,'sites',60)",
    ),
    "quakes": _table(
        "earthquakes",
        450,
        quake_id="bigint = i",
        occurred_at="timestamp = timestamp '2018-01-01'+dice(i,'when',3200000)*interval '1 minute'",
        magnitude=f"{_REAL} = 2.5+dice(i,'mag',5100)/1000.0",
        depth_km=f"{_REAL} = dice(i,'depth',65000)/100.0",
        region="Honshu|Sumatra|Atacama|Aegean Sea|Alaska Peninsula|Kermadec Islands",
        country="text = (ARRAY['Japan','Indonesia','Chile','Greece','United States','New Zealand'])[1+dice(i,'region',6)]",
        tsunami="boolean = dice(i,'tsu',9)=0",
        felt_reports="bigint = CASE WHEN dice(i,'unfelt',5)>0 THEN dice(i,'felt',3000) END",
        mag_type="mb|mww|ml",
    ),
    "coffee": _table(
        "coffee_tastings",
        280,
        sample_id="bigint = i",
        origin_country="Ethiopia|Colombia|Brazil|Kenya|Guatemala|Vietnam",
        variety="Bourbon|Gesha|Caturra|Typica",
        processing_method="washed|natural|honey",
        aroma=f"{_REAL} = 6+dice(i,'aroma',40)/10.0",
        acidity=f"{_REAL} = 6+dice(i,'acid',40)/10.0",
        total_score=f"{_REAL} = 70+dice(i,'total',2500)/100.0",
        altitude_m="bigint = 600+dice(i,'alt',1700)",
        harvest_year="bigint = 2017+dice(i,'harv',7)",
        taster="Aisha|Bruno|Carla|Dmitri",
        defects="bigint = dice(i,'defect',12)",
        organic="boolean = dice(i,'org',3)=0",
        price_per_kg=f"{_REAL} = CASE WHEN dice(i,'nopr',7)>0 THEN 4+dice(i,'price',4000)/100.0 END",
    ),
    "birds": _table(
        "bird_sightings",
        360,
        sighting_id="bigint = i",
        species="robin|barn owl|kingfisher|grey heron|goldfinch|osprey|puffin",
        individuals="bigint = 1+dice(i,'indiv',40)",
        observer="text = CASE WHEN dice(i,'species',7)=6 THEN 'Maya' ELSE (ARRAY['Maya','Tom','Ingrid','Luis','Farah'])[1+dice(i,'observer',5)] END",
        site="Reed Lake|Pine Hill|Salt Marsh|City Park",
        habitat="text = (ARRAY['wetland','forest','wetland','urban'])[1+dice(i,'site',4)]",
        seen_on="date = date '2022-01-01'+dice(i,'seen2',1000)",
        minutes_watched="bigint = 2+dice(i,'mins',180)",
        photographed="boolean = dice(i,'photo',3)=0",
        conservation_status="text = (ARRAY['least concern','least concern','vulnerable','least concern','least concern','endangered','vulnerable'])[1+dice(i,'species',7)]",
    ),
    "bikes": _table(
        "bike_counts",
        400,
        counter="Canal Bridge|Station Square|University|Park Lane",
        direction="inbound|outbound",
        counted_on="date = date '2023-01-01'+dice(i,'cday',730)",
        bikes="bigint = CASE WHEN dice(i,'lost',14)>0 THEN 20+dice(i,'bikes',3000) END",
        pedestrians="bigint = 10+dice(i,'peds',2000)",
        rain_mm=f"{_REAL} = CASE WHEN dice(i,'dry',2)=0 THEN 0 ELSE dice(i,'rain',300)/10.0 END",
        temp_c=f"{_REAL} = -5+dice(i,'temp',380)/10.0",
        holiday="boolean = dice(i,'hol',10)=0",
    ),
    "trains": _table(
        "train_runs",
        420,
        train_number="text = (ARRAY['IC','RE','S'])[1+dice(i,'cat',3)]||' '||(100+dice(i,'no',60))",
        operator="RegioRail|Northline|Transalp|CityLink",
        category="text = (ARRAY['intercity','regional','suburban'])[1+dice(i,'cat',3)]",
        origin="Basel|Zürich|Milan|Lyon|Geneva",
        destination="Bern|Turin|Dijon|Lugano|Lausanne",
        departure="timestamp = timestamp '2025-01-01'+dice(i,'dep',400000)*interval '1 minute'",
        delay_min="bigint = CASE WHEN dice(i,'canc',20)=0 THEN NULL WHEN dice(i,'late',3)>0 THEN 0 ELSE 1+dice(i,'delay',90) END",
        cancelled="boolean = dice(i,'canc',20)=0",
        delay_cause="text = CASE WHEN dice(i,'late',3)=0 THEN (ARRAY['signal failure','weather','staff shortage','track works'])[1+dice(i,'cause',4)] END",
        passengers="bigint = 5+dice(i,'pax',700)",
        platform="bigint = 1+dice(i,'plat',12)",
    ),
    "claims": _table(
        "insurance_claims",
        340,
        claim_id="bigint = 5000+i",
        policy_type="motor|home|travel|liability",
        claimed_amount=f"{_REAL} = 100+dice(i,'claim',250000)/10.0",
        paid_amount=f"{_REAL} = CASE WHEN dice(i,'claimst',4) IN (0,1) THEN 50+dice(i,'paid',150000)/10.0 END",
        claim_status="text = (ARRAY['paid','settled','open','rejected'])[1+dice(i,'claimst',4)]",
        region="Bavaria|Saxony|Hesse|Berlin",
        incident_date="date = date '2022-01-01'+dice(i,'inc',900)",
        reported_date="date = date '2022-01-01'+dice(i,'inc',900)+dice(i,'rep',60)",
        holder_age="bigint = 18+dice(i,'age',70)",
        fraud_suspected="boolean = dice(i,'fraud',9)=0",
        adjuster="Keller|Brandt|Vogel|Sommer|Roth",
    ),
    "shipping": _table(
        "ports",
        9,
        port_id="bigint = i",
        port_name="text = (ARRAY['Rotterdam','Singapore','Santos','Durban','Oslo','Busan','Valencia','Antwerp','Trondheim'])[i]",
        country="text = (ARRAY['Netherlands','Singapore','Brazil','South Africa','Norway','South Korea','Spain','Belgium','Norway'])[i]",
        max_draft_m=f"{_REAL} = 9+dice(i,'draft',120)/10.0",
    )
    + _table(
        "vessels",
        24,
        vessel_id="bigint = i",
        vessel_name="text = 'MV '||(ARRAY['Aurora','Borealis','Cassius','Delfin','Estrella','Fjord','Gloria','Helios'])[1+i%8]||' '||i",
        vessel_type="tanker|container ship|bulk carrier",
        built_year="bigint = 1985+dice(i,'built',38)",
        capacity_tons="bigint = 5000+dice(i,'cap',90000)",
        flag="Panama|Liberia|Malta",
    )
    + _table(
        "voyages",
        260,
        voyage_id="bigint = i",
        vessel_id="bigint = 1+dice(i,'ves',21)",
        port_id="bigint = 1+dice(i,'port',8)",
        arrived_on="date = date '2023-01-01'+dice(i,'arr',800)",
        cargo_tons="bigint = 500+dice(i,'cargo',40000)",
        cargo_type="grain|oil|cars|steel",
        days_at_sea="bigint = 2+dice(i,'sea',40)",
    ),
    "festival": _table(
        "bands",
        20,
        band_id="bigint = i",
        band_name="text = 'The '||(ARRAY['Lanterns','Foxes','Meteors','Ravens','Pilots','Embers','Tides','Glaciers','Owls','Comets','Saints','Wolves','Mirrors','Sparks','Echoes','Nomads','Pines','Rivers','Satellites','Kites'])[i]",
        genre="rock|jazz|folk|electronic",
        home_country="Ireland|Sweden|Mali|Canada",
        formed_year="bigint = 1990+dice(i,'formed',30)",
    )
    + _table(
        "stages",
        5,
        stage_id="bigint = i",
        stage_name="text = (ARRAY['Main Stage','Garden Stage','Tent','Cellar','Lakeside'])[i]",
        capacity="bigint = (ARRAY[12000,4000,1800,300,2500])[i]",
        indoor="boolean = i IN (3,4)",
    )
    + _table(
        "gigs",
        150,
        gig_id="bigint = i",
        band_id="bigint = 1+dice(i,'band3',17)",
        stage_id="bigint = 1+dice(i,'stage',5)",
        gig_date="date = date '2022-06-01'+dice(i,'gig',800)",
        tickets_sold="bigint = 40+dice(i,'tick',3000)",
        ticket_price=f"{_REAL} = 12+dice(i,'tprice',700)/10.0",
        sold_out="boolean = dice(i,'sold',4)=0",
    ),
    "rivers": "CREATE TABLE river_levels(ts timestamptz, gauge text, level_cm double precision, flow_m3s double precision);\n"
    "INSERT INTO river_levels SELECT timestamptz '2024-01-01 00:00+00'+d*interval '6 hours', g, 120+60*sin(d/40.0)+dice(d,g,400)/10.0+(CASE g WHEN 'Upton' THEN 30 ELSE 0 END), "
    "30+12*sin(d/40.0)+dice(d,g||'f',90)/10.0 FROM generate_series(0,1463) d, unnest(ARRAY['Upton','Ferry Lane','Wehr']) g WHERE NOT (g='Wehr' AND d BETWEEN 500 AND 540);\n",
    "rates": "CREATE TABLE exchange_rates(ts timestamptz, pair text, rate double precision);\n"
    "INSERT INTO exchange_rates SELECT timestamptz '2022-01-03 00:00+00'+d*interval '1 day', p, round((CASE p WHEN 'EURUSD' THEN 1.08 WHEN 'GBPUSD' THEN 1.25 ELSE 0.95 END "
    "+0.06*sin(d/70.0+length(p))+dice(d,p,400)/10000.0)::numeric,5)::float8 FROM generate_series(0,900) d, unnest(ARRAY['EURUSD','GBPUSD','EURCHF']) p WHERE extract(isodow from timestamptz '2022-01-03 00:00+00'+d*interval '1 day')<6;\n",
    "servers": "CREATE TABLE server_metrics(ts timestamptz, host text, cpu_pct double precision, memory_mb double precision, requests bigint, errors bigint);\n"
    "INSERT INTO server_metrics SELECT timestamptz '2025-03-01 00:00+00'+d*interval '30 minutes', h, dice(d,h||'c',1000)/10.0, 800+dice(d,h||'m',30000)/10.0, dice(d,h||'r',5000), dice(d,h||'e',40) "
    "FROM generate_series(0,1439) d, unnest(ARRAY['web-1','web-2','db-1']) h;\n",
}
DATABASES = {name: _DICE + script + "DROP FUNCTION dice;" for name, script in DATABASES.items()}


class Asked(NamedTuple):
    """A question with the queries of which one must be met. kind: single, several, series, follow-up, refuse or a language."""

    database: str
    kind: str
    before: tuple[str, ...]
    question: str
    gold: tuple[str, ...]


ASKED: list[Asked] = []


def _add(database: str, kind: str, lines: str) -> None:
    for line in lines.strip().split("\n"):
        asked, gold = line.split(" ## ")
        *before, question = (part.strip() for part in asked.split(" > "))
        golds = () if gold.strip() == "REFUSE" else tuple(part.strip() for part in gold.split("||"))
        ASKED.append(Asked(database, kind if golds else "refuse", tuple(before), question, golds))


def halves() -> tuple[list[Asked], list[Asked]]:
    """The tuning half and the test half, of each kind the same number."""
    tuning: list[Asked] = []
    test: list[Asked] = []
    for kind in dict.fromkeys(asked.kind for asked in ASKED):
        those = [asked for asked in ASKED if asked.kind == kind]
        random.Random(f"halves of {kind}").shuffle(those)
        tuning += those[: (len(those) + 1) // 2]
        test += those[(len(those) + 1) // 2 :]
    return tuning, test


_add(
    "air",
    "single",
    """
avg PM10 per city ## SELECT city,avg(value_ug_m3) FROM air_measurements WHERE pollutant='PM10' GROUP BY city
Could you please tell me how many measurements were taken at Harbour East? ## SELECT count(*) FROM air_measurements WHERE station='Harbour East'
Which station recorded the highest NO2 value in 2024? ## SELECT station FROM air_measurements WHERE pollutant='NO2' AND measured_on>='2024-01-01' AND measured_on<'2025-01-01' AND value_ug_m3 IS NOT NULL ORDER BY value_ug_m3 DESC LIMIT 1
share of measurements that are not validated ## SELECT 100.0*count(*) FILTER (WHERE NOT validated)/count(*) FROM air_measurements || SELECT 1.0*count(*) FILTER (WHERE NOT validated)/count(*) FROM air_measurements
how many mesurements have no value ## SELECT count(*) FROM air_measurements WHERE value_ug_m3 IS NULL
List the stations whose average ozone is above 45 ## SELECT station FROM air_measurements WHERE pollutant='O3' GROUP BY station HAVING avg(value_ug_m3)>45
Compare the average NO2 of traffic stations with that of background stations ## SELECT station_type,avg(value_ug_m3) FROM air_measurements WHERE pollutant='NO2' AND station_type IN ('traffic','background') GROUP BY 1
number of readings over 80 per pollutant ## SELECT pollutant,count(*) FROM air_measurements WHERE value_ug_m3>80 GROUP BY 1
What was the worst day for PM2.5 in Hamburg? ## SELECT measured_on FROM air_measurements WHERE pollutant='PM2.5' AND city='Hamburg' AND value_ug_m3 IS NOT NULL ORDER BY value_ug_m3 DESC LIMIT 1
How many stations does each country have? ## SELECT country,count(DISTINCT station) FROM air_measurements GROUP BY 1
measurements in Lille or Leeds between 20 and 30 ## SELECT station,pollutant,value_ug_m3,measured_on FROM air_measurements WHERE city IN ('Lille','Leeds') AND value_ug_m3 BETWEEN 20 AND 30
which month of 2023 had the lowest mean O3 ## SELECT date_trunc('month',measured_on)::date FROM air_measurements WHERE pollutant='O3' AND measured_on>='2023-01-01' AND measured_on<'2024-01-01' GROUP BY 1 ORDER BY avg(value_ug_m3) LIMIT 1
""",
)
_add(
    "rents",
    "single",
    """
average rent by district ## SELECT district,avg(rent_eur) FROM apartments GROUP BY 1
I'm looking for furnished apartments in Mitte with at least 2 rooms, which ones are there? ## SELECT listing_id FROM apartments WHERE furnished AND district='Mitte' AND rooms>=2
cheapest flat with a balcony ## SELECT listing_id FROM apartments WHERE balcony AND rent_eur=(SELECT min(rent_eur) FROM apartments WHERE balcony)
What is the average rent per square meter in each district? ## SELECT district,avg(rent_eur/size_sqm) FROM apartments GROUP BY 1 || SELECT district,sum(rent_eur)/sum(size_sqm) FROM apartments GROUP BY 1
top 3 most expensive apartments in each district ## SELECT district,listing_id,rent_eur FROM (SELECT *,rank() OVER (PARTITION BY district ORDER BY rent_eur DESC) r FROM apartments) x WHERE r<=3
how many apartments don't have an energy class ## SELECT count(*) FROM apartments WHERE energy_class IS NULL
What percentage of the apartments in Pankow is furnished? ## SELECT 100.0*count(*) FILTER (WHERE furnished)/count(*) FROM apartments WHERE district='Pankow'
Which district has the most apartments with energy class A? ## SELECT district FROM apartments WHERE energy_class='A' GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
apartments bigger than 100 sqm for less than 1000 euros ## SELECT listing_id FROM apartments WHERE size_sqm>100 AND rent_eur<1000
Give me the difference in average rent between furnished and unfurnished apartments ## SELECT avg(rent_eur) FILTER (WHERE furnished)-avg(rent_eur) FILTER (WHERE NOT furnished) FROM apartments || SELECT avg(rent_eur) FILTER (WHERE NOT furnished)-avg(rent_eur) FILTER (WHERE furnished) FROM apartments
number of flats per number of rooms ## SELECT rooms,count(*) FROM apartments GROUP BY 1
how many flats become available after June 2024 and are not on the ground floor ## SELECT count(*) FROM apartments WHERE available_from>='2024-07-01' AND floor<>0
""",
)
_add(
    "chess",
    "single",
    """
how many games ended in a draw ## SELECT count(*) FROM chess_games WHERE winner='draw'
Which opening is played the most? ## SELECT opening FROM chess_games GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
avg number of moves by time control ## SELECT time_control,avg(moves) FROM chess_games GROUP BY 1
What share of the games was won by black? ## SELECT 100.0*count(*) FILTER (WHERE winner='black')/count(*) FROM chess_games
Show me Ivanova's longest game with white ## SELECT game_id FROM chess_games WHERE white_player='Ivanova' AND moves=(SELECT max(moves) FROM chess_games WHERE white_player='Ivanova')
games of Tanaka against Silva ## SELECT game_id FROM chess_games WHERE white_player='Tanaka' AND black_player='Silva'
Which openings were played in more than 60 games? ## SELECT opening FROM chess_games GROUP BY 1 HAVING count(*)>60
How many games were decided by checkmate in blitz compared to bullet? ## SELECT time_control,count(*) FROM chess_games WHERE termination='checkmate' AND time_control IN ('blitz','bullet') GROUP BY 1
games where the black elo is higher than the white elo ## SELECT game_id FROM chess_games WHERE black_elo>white_elo
In what percentage of rapid games does white win? ## SELECT 100.0*count(*) FILTER (WHERE winner='white')/count(*) FROM chess_games WHERE time_control='rapid'
games per year, only classical ## SELECT date_trunc('year',played_on)::date,count(*) FROM chess_games WHERE time_control='classical' GROUP BY 1 || SELECT extract(year from played_on),count(*) FROM chess_games WHERE time_control='classical' GROUP BY 1
Was the Ruy Lopez played more often in 2022 or in 2023? ## SELECT date_trunc('year',played_on)::date,count(*) FROM chess_games WHERE opening='Ruy Lopez' AND played_on>='2022-01-01' AND played_on<'2024-01-01' GROUP BY 1 || SELECT extract(year from played_on),count(*) FROM chess_games WHERE opening='Ruy Lopez' AND played_on>='2022-01-01' AND played_on<'2024-01-01' GROUP BY 1
""",
)
_add(
    "trials",
    "single",
    """
number of recruiting trials per sponsor ## SELECT sponsor,count(*) FROM clinical_trials WHERE status='recruiting' GROUP BY 1
How many phase 3 trials on diabetes have been completed? ## SELECT count(*) FROM clinical_trials WHERE phase='Phase 3' AND condition='diabetes' AND status='completed'
total enrollment by condition, largest first ## SELECT condition,sum(enrollment) FROM clinical_trials GROUP BY 1
Which sponsor runs the most trials in Japan? ## SELECT sponsor FROM clinical_trials WHERE country='Japan' GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
trials with neither a completion date nor an enrollment ## SELECT trial_id FROM clinical_trials WHERE completion_date IS NULL AND enrollment IS NULL
How long do trials take on average? ## SELECT avg(completion_date-start_date) FROM clinical_trials
What is the median enrollment of randomized trials? ## SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY enrollment) FROM clinical_trials WHERE randomized
Which conditions are studied by at least 4 sponsors? ## SELECT condition FROM clinical_trials GROUP BY 1 HAVING count(DISTINCT sponsor)>=4
Please list all trials by Novigen or Carevia that were terminated ## SELECT trial_id FROM clinical_trials WHERE sponsor IN ('Novigen','Carevia') AND status='terminated'
how many trials were started each year ## SELECT date_trunc('year',start_date)::date,count(*) FROM clinical_trials GROUP BY 1 || SELECT extract(year from start_date),count(*) FROM clinical_trials GROUP BY 1
trial with the most sites ## SELECT trial_id FROM clinical_trials WHERE n_sites=(SELECT max(n_sites) FROM clinical_trials)
proportion of withdrawn trials for each phase ## SELECT phase,100.0*count(*) FILTER (WHERE status='withdrawn')/count(*) FROM clinical_trials GROUP BY 1 || SELECT phase,1.0*count(*) FILTER (WHERE status='withdrawn')/count(*) FROM clinical_trials GROUP BY 1
""",
)
_add(
    "quakes",
    "single",
    """
biggest earthquake ## SELECT quake_id FROM earthquakes WHERE magnitude=(SELECT max(magnitude) FROM earthquakes)
How many quakes stronger than magnitude 6 hit Japan? ## SELECT count(*) FROM earthquakes WHERE magnitude>6 AND country='Japan'
number of quakes by region since 2022 ## SELECT region,count(*) FROM earthquakes WHERE occurred_at>='2022-01-01' GROUP BY 1
What was the average depth of earthquakes which triggered a tsunami? ## SELECT avg(depth_km) FROM earthquakes WHERE tsunami
5 deepest earthquakes ## SELECT quake_id,depth_km FROM earthquakes ORDER BY depth_km DESC LIMIT 5
In which year were there the most earthquakes? ## SELECT date_trunc('year',occurred_at) FROM earthquakes GROUP BY 1 ORDER BY count(*) DESC LIMIT 1 || SELECT extract(year from occurred_at) FROM earthquakes GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
earthquakes without felt reports ## SELECT quake_id FROM earthquakes WHERE felt_reports IS NULL || SELECT quake_id FROM earthquakes WHERE felt_reports IS NULL OR felt_reports=0
What is the ratio of quakes with a tsunami to quakes without? ## SELECT 1.0*count(*) FILTER (WHERE tsunami)/count(*) FILTER (WHERE NOT tsunami) FROM earthquakes
Strongest quake per country ## SELECT country,max(magnitude) FROM earthquakes GROUP BY 1
How many earthquakes between magnitude 4 and 5 occurred in Alaska or the Aegean? ## SELECT count(*) FROM earthquakes WHERE magnitude BETWEEN 4 AND 5 AND region IN ('Alaska Peninsula','Aegean Sea')
Which regions had an average magnitude over 5? ## SELECT region FROM earthquakes GROUP BY 1 HAVING avg(magnitude)>5
quakes deeper than the average in Chile ## SELECT quake_id FROM earthquakes WHERE country='Chile' AND depth_km>(SELECT avg(depth_km) FROM earthquakes WHERE country='Chile') || SELECT quake_id FROM earthquakes WHERE country='Chile' AND depth_km>(SELECT avg(depth_km) FROM earthquakes)
""",
)
_add(
    "coffee",
    "single",
    """
mean total score by origin ## SELECT origin_country,avg(total_score) FROM coffee_tastings GROUP BY 1
Which variety scores best on average? ## SELECT variety FROM coffee_tastings GROUP BY 1 ORDER BY avg(total_score) DESC LIMIT 1
list Kenyan coffees with a score above 90 ## SELECT sample_id FROM coffee_tastings WHERE origin_country='Kenya' AND total_score>90
how many samples were tasted by Bruno ## SELECT count(*) FROM coffee_tastings WHERE taster='Bruno'
What is the highest scoring coffee from Colombia? ## SELECT sample_id FROM coffee_tastings WHERE origin_country='Colombia' ORDER BY total_score DESC LIMIT 1
average price of organic vs non organic coffee ## SELECT organic,avg(price_per_kg) FROM coffee_tastings GROUP BY 1
number of samples with zero defects per processing method ## SELECT processing_method,count(*) FROM coffee_tastings WHERE defects=0 GROUP BY 1
best two coffees of each taster ## SELECT taster,sample_id FROM (SELECT *,rank() OVER (PARTITION BY taster ORDER BY total_score DESC) r FROM coffee_tastings) x WHERE r<=2
Which origin countries have more than 20 washed samples? ## SELECT origin_country FROM coffee_tastings WHERE processing_method='washed' GROUP BY 1 HAVING count(*)>20
avg acidity and aroma of natural coffees grown above 1500 m ## SELECT avg(acidity),avg(aroma) FROM coffee_tastings WHERE processing_method='natural' AND altitude_m>1500
What fraction of the Ethiopian samples is organic? ## SELECT 100.0*count(*) FILTER (WHERE organic)/count(*) FROM coffee_tastings WHERE origin_country='Ethiopia' || SELECT 1.0*count(*) FILTER (WHERE organic)/count(*) FROM coffee_tastings WHERE origin_country='Ethiopia'
coffees priced at 40 or more ## SELECT sample_id FROM coffee_tastings WHERE price_per_kg>=40
""",
)
_add(
    "birds",
    "single",
    """
how many ospreys were seen ## SELECT sum(individuals) FROM bird_sightings WHERE species='osprey' || SELECT count(*) FROM bird_sightings WHERE species='osprey'
Which observer reported the most sightings? ## SELECT observer FROM bird_sightings GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
total individuals per species ## SELECT species,sum(individuals) FROM bird_sightings GROUP BY 1
Which species has Ingrid never seen? ## SELECT DISTINCT species FROM bird_sightings WHERE species NOT IN (SELECT species FROM bird_sightings WHERE observer='Ingrid')
number of different species by site ## SELECT site,count(DISTINCT species) FROM bird_sightings GROUP BY 1
When was a puffin last seen at Salt Marsh? ## SELECT max(seen_on) FROM bird_sightings WHERE species='puffin' AND site='Salt Marsh'
sightings of endangered birds in 2023 ## SELECT sighting_id FROM bird_sightings WHERE conservation_status='endangered' AND seen_on>='2023-01-01' AND seen_on<'2024-01-01'
How many sightings were not photographed? ## SELECT count(*) FROM bird_sightings WHERE NOT photographed
largest group of goldfinches ## SELECT sighting_id,individuals FROM bird_sightings WHERE species='goldfinch' AND individuals=(SELECT max(individuals) FROM bird_sightings WHERE species='goldfinch') || SELECT max(individuals) FROM bird_sightings WHERE species='goldfinch'
avg minutes watched for robins and kingfishers ## SELECT species,avg(minutes_watched) FROM bird_sightings WHERE species IN ('robin','kingfisher') GROUP BY 1 || SELECT avg(minutes_watched) FROM bird_sightings WHERE species IN ('robin','kingfisher')
sightings in the wetlands that lasted more than two hours ## SELECT sighting_id FROM bird_sightings WHERE habitat='wetland' AND minutes_watched>120
Which month usually has the most sightings? ## SELECT extract(month from seen_on) FROM bird_sightings GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
""",
)
_add(
    "bikes",
    "single",
    """
total bikes per counter ## SELECT counter,sum(bikes) FROM bike_counts GROUP BY 1
How many bikes passed Canal Bridge in May 2024? ## SELECT sum(bikes) FROM bike_counts WHERE counter='Canal Bridge' AND counted_on>='2024-05-01' AND counted_on<'2024-06-01'
busiest day at the University counter ## SELECT counted_on FROM bike_counts WHERE counter='University' AND bikes IS NOT NULL ORDER BY bikes DESC LIMIT 1
average number of bikes on holidays compared to other days ## SELECT holiday,avg(bikes) FROM bike_counts GROUP BY 1
bikes on rainy days ## SELECT sum(bikes) FROM bike_counts WHERE rain_mm>0
Are there more pedestrians than bikes at Park Lane? ## SELECT sum(pedestrians),sum(bikes) FROM bike_counts WHERE counter='Park Lane'
mean bikes per weekday ## SELECT extract(isodow from counted_on),avg(bikes) FROM bike_counts GROUP BY 1
On how many days was it below freezing? ## SELECT count(DISTINCT counted_on) FROM bike_counts WHERE temp_c<0 || SELECT count(*) FROM bike_counts WHERE temp_c<0
inbound vs outbound totals ## SELECT direction,sum(bikes) FROM bike_counts GROUP BY 1
Which counters counted over 100000 bikes in total? ## SELECT counter FROM bike_counts GROUP BY 1 HAVING sum(bikes)>100000
ratio of bikes to pedestrians per counter ## SELECT counter,1.0*sum(bikes)/sum(pedestrians) FROM bike_counts GROUP BY 1
days with no more than 100 bikes ## SELECT counted_on FROM bike_counts WHERE bikes<=100
""",
)
_add(
    "trains",
    "single",
    """
How many trains were cancelled? ## SELECT count(*) FROM train_runs WHERE cancelled
avg delay by operator ## SELECT operator,avg(delay_min) FROM train_runs GROUP BY 1
Which operator is the least punctual? ## SELECT operator FROM train_runs GROUP BY 1 ORDER BY avg(delay_min) DESC LIMIT 1
trains from Milan to Bern that were more than 10 minutes late ## SELECT train_number,departure FROM train_runs WHERE origin='Milan' AND destination='Bern' AND delay_min>10
percent of trains on time per operator ## SELECT operator,100.0*count(*) FILTER (WHERE delay_min=0)/count(*) FROM train_runs GROUP BY 1 || SELECT operator,100.0*count(*) FILTER (WHERE delay_min=0)/count(delay_min) FROM train_runs GROUP BY 1
most common cause of delay ## SELECT delay_cause FROM train_runs WHERE delay_cause IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
how many passengers were carried by intercity trains in march 2025 ## SELECT sum(passengers) FROM train_runs WHERE category='intercity' AND departure>='2025-03-01' AND departure<'2025-04-01'
Number of runs by hour of departure ## SELECT extract(hour from departure),count(*) FROM train_runs GROUP BY 1
List operators with an average delay of at least 15 minutes ## SELECT operator FROM train_runs GROUP BY 1 HAVING avg(delay_min)>=15
total passengers from Geneva excluding suburban trains ## SELECT sum(passengers) FROM train_runs WHERE origin='Geneva' AND category<>'suburban'
Which destination do most passengers travel to? ## SELECT destination FROM train_runs GROUP BY 1 ORDER BY sum(passengers) DESC LIMIT 1
the longest delay caused by weather ## SELECT max(delay_min) FROM train_runs WHERE delay_cause='weather'
""",
)
_add(
    "claims",
    "single",
    """
total paid amount by policy type ## SELECT policy_type,sum(paid_amount) FROM insurance_claims GROUP BY 1
How many motor claims are still open? ## SELECT count(*) FROM insurance_claims WHERE policy_type='motor' AND claim_status='open'
What's the rejection rate per region? ## SELECT region,100.0*count(*) FILTER (WHERE claim_status='rejected')/count(*) FROM insurance_claims GROUP BY 1
Which adjuster handled the most suspected fraud claims? ## SELECT adjuster FROM insurance_claims WHERE fraud_suspected GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
average days between incident and report ## SELECT avg(reported_date-incident_date) FROM insurance_claims
claims over 20k ## SELECT claim_id FROM insurance_claims WHERE claimed_amount>20000
Average claimed amount for holders under 25 versus over 65 ## SELECT holder_age<25,avg(claimed_amount) FROM insurance_claims WHERE holder_age<25 OR holder_age>65 GROUP BY 1
largest claim in each region ## SELECT region,max(claimed_amount) FROM insurance_claims GROUP BY 1
What is the difference between claimed and paid amount in total? ## SELECT sum(claimed_amount-paid_amount) FROM insurance_claims || SELECT sum(claimed_amount)-sum(paid_amount) FROM insurance_claims
number of claims not from Bavaria or Saxony ## SELECT count(*) FROM insurance_claims WHERE region NOT IN ('Bavaria','Saxony')
Claims where the paid amount exceeds the claimed amount ## SELECT claim_id FROM insurance_claims WHERE paid_amount>claimed_amount
which regions have an above average claimed amount ## SELECT region FROM insurance_claims GROUP BY 1 HAVING avg(claimed_amount)>(SELECT avg(claimed_amount) FROM insurance_claims)
""",
)
_add(
    "shipping",
    "several",
    """
How many voyages did each vessel make? ## SELECT vessel_name,count(*) FROM voyages JOIN vessels USING(vessel_id) GROUP BY vessels.vessel_id,1 || SELECT vessel_name,count(voyage_id) FROM vessels LEFT JOIN voyages USING(vessel_id) GROUP BY vessels.vessel_id,1
total cargo per port ## SELECT port_name,sum(cargo_tons) FROM voyages JOIN ports USING(port_id) GROUP BY 1 || SELECT port_name,sum(cargo_tons) FROM ports LEFT JOIN voyages USING(port_id) GROUP BY 1
Which vessels have never called at Oslo? ## SELECT vessel_name FROM vessels WHERE vessel_id NOT IN (SELECT vessel_id FROM voyages JOIN ports USING(port_id) WHERE port_name='Oslo')
ports without any voyages ## SELECT port_name FROM ports WHERE port_id NOT IN (SELECT port_id FROM voyages)
average days at sea of tankers ## SELECT avg(days_at_sea) FROM voyages JOIN vessels USING(vessel_id) WHERE vessel_type='tanker'
Which port received the most grain? ## SELECT port_name FROM voyages JOIN ports USING(port_id) WHERE cargo_type='grain' GROUP BY 1 ORDER BY sum(cargo_tons) DESC LIMIT 1
number of voyages to Brazil by vessel type ## SELECT vessel_type,count(*) FROM voyages JOIN vessels USING(vessel_id) JOIN ports USING(port_id) WHERE country='Brazil' GROUP BY 1
Names of vessels built before 2000 that carried oil ## SELECT DISTINCT vessel_name FROM vessels WHERE built_year<2000 AND vessel_id IN (SELECT vessel_id FROM voyages WHERE cargo_type='oil')
vessels with more than 15 voyages ## SELECT vessel_name FROM vessels JOIN voyages USING(vessel_id) GROUP BY vessel_id,1 HAVING count(*)>15
What is the heaviest cargo ever brought to Rotterdam? ## SELECT max(cargo_tons) FROM voyages JOIN ports USING(port_id) WHERE port_name='Rotterdam'
""",
)
_add(
    "festival",
    "several",
    """
tickets sold per genre ## SELECT genre,sum(tickets_sold) FROM gigs JOIN bands USING(band_id) GROUP BY 1
Which bands have played on the Main Stage? ## SELECT DISTINCT band_name FROM bands WHERE band_id IN (SELECT band_id FROM gigs JOIN stages USING(stage_id) WHERE stage_name='Main Stage')
How many gigs did Swedish bands play? ## SELECT count(*) FROM gigs JOIN bands USING(band_id) WHERE home_country='Sweden'
bands that played both in the Tent and in the Cellar ## SELECT band_name FROM bands WHERE band_id IN (SELECT band_id FROM gigs JOIN stages USING(stage_id) WHERE stage_name='Tent') AND band_id IN (SELECT band_id FROM gigs JOIN stages USING(stage_id) WHERE stage_name='Cellar')
Average ticket price at indoor stages ## SELECT avg(ticket_price) FROM gigs JOIN stages USING(stage_id) WHERE indoor
top 5 bands by number of gigs ## SELECT band_name,count(*) FROM gigs JOIN bands USING(band_id) GROUP BY band_id,1 ORDER BY 2 DESC LIMIT 5
which stage had the most sold out gigs ## SELECT stage_name FROM gigs JOIN stages USING(stage_id) WHERE sold_out GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
List the bands that have not played any gig ## SELECT band_name FROM bands WHERE band_id NOT IN (SELECT band_id FROM gigs)
What is the total revenue by band, i.e. tickets sold times ticket price? ## SELECT band_name,sum(tickets_sold*ticket_price) FROM gigs JOIN bands USING(band_id) GROUP BY band_id,1
gigs of The Foxes in 2023 ## SELECT gig_id FROM gigs JOIN bands USING(band_id) WHERE band_name='The Foxes' AND gig_date>='2023-01-01' AND gig_date<'2024-01-01'
""",
)
_add(
    "rivers",
    "series",
    """
latest level at Upton ## SELECT level_cm FROM river_levels WHERE gauge='Upton' ORDER BY ts DESC LIMIT 1
When was the water level at Ferry Lane highest? ## SELECT ts FROM river_levels WHERE gauge='Ferry Lane' ORDER BY level_cm DESC LIMIT 1
daily mean flow per gauge in March 2024 ## SELECT date_trunc('day',ts),gauge,avg(flow_m3s) FROM river_levels WHERE ts>='2024-03-01' AND ts<'2024-04-01' GROUP BY 1,2
how often did the level at Upton exceed 200 cm ## SELECT count(*) FROM river_levels WHERE gauge='Upton' AND level_cm>200
Are there any gaps in the data of Wehr? ## SELECT ts FROM (SELECT ts,ts-lag(ts) OVER (ORDER BY ts) g FROM river_levels WHERE gauge='Wehr') x WHERE g>interval '6 hours' || SELECT p FROM (SELECT lag(ts) OVER (ORDER BY ts) p,ts-lag(ts) OVER (ORDER BY ts) g FROM river_levels WHERE gauge='Wehr') x WHERE g>interval '6 hours'
which gauge had the highest average flow in 2024? ## SELECT gauge FROM river_levels WHERE ts>='2024-01-01' AND ts<'2025-01-01' GROUP BY 1 ORDER BY avg(flow_m3s) DESC LIMIT 1
monthly maximum level of Ferry Lane ## SELECT date_trunc('month',ts),max(level_cm) FROM river_levels WHERE gauge='Ferry Lane' GROUP BY 1
""",
)
_add(
    "rates",
    "series",
    """
What is the current EURUSD rate? ## SELECT rate FROM exchange_rates WHERE pair='EURUSD' ORDER BY ts DESC LIMIT 1
By what percentage did GBPUSD change in 2023? ## SELECT (b.rate/a.rate-1)*100 FROM (SELECT rate FROM exchange_rates WHERE pair='GBPUSD' AND ts>='2023-01-01' AND ts<'2024-01-01' ORDER BY ts LIMIT 1) a,(SELECT rate FROM exchange_rates WHERE pair='GBPUSD' AND ts>='2023-01-01' AND ts<'2024-01-01' ORDER BY ts DESC LIMIT 1) b
average rate per pair ## SELECT pair,avg(rate) FROM exchange_rates GROUP BY 1
7 day moving average of EURCHF ## SELECT ts,avg(rate) OVER (ORDER BY ts ROWS 6 PRECEDING) FROM exchange_rates WHERE pair='EURCHF' || SELECT ts,avg(rate) OVER (ORDER BY ts RANGE interval '6 days' PRECEDING) FROM exchange_rates WHERE pair='EURCHF'
lowest EURUSD of each month ## SELECT date_trunc('month',ts),min(rate) FROM exchange_rates WHERE pair='EURUSD' GROUP BY 1
correlation between EURUSD and GBPUSD ## SELECT corr(a.rate,b.rate) FROM exchange_rates a JOIN exchange_rates b USING(ts) WHERE a.pair='EURUSD' AND b.pair='GBPUSD'
On which day did EURCHF fall the most? ## SELECT ts FROM (SELECT ts,rate-lag(rate) OVER (ORDER BY ts) d FROM exchange_rates WHERE pair='EURCHF') x WHERE d IS NOT NULL ORDER BY d LIMIT 1 || SELECT ts FROM (SELECT ts,rate/lag(rate) OVER (ORDER BY ts) d FROM exchange_rates WHERE pair='EURCHF') x WHERE d IS NOT NULL ORDER BY d LIMIT 1
""",
)
_add(
    "servers",
    "series",
    """
max cpu per host ## SELECT host,max(cpu_pct) FROM server_metrics GROUP BY 1
total requests by day for web-1 ## SELECT date_trunc('day',ts),sum(requests) FROM server_metrics WHERE host='web-1' GROUP BY 1
p95 of memory on db-1 ## SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY memory_mb) FROM server_metrics WHERE host='db-1'
average cpu by hour of the day ## SELECT extract(hour from ts),avg(cpu_pct) FROM server_metrics GROUP BY 1
how many errors were there last week on web-2 ## SELECT sum(errors) FROM server_metrics WHERE host='web-2' AND ts>=(SELECT date_trunc('week',max(ts))-interval '7 days' FROM server_metrics) AND ts<(SELECT date_trunc('week',max(ts)) FROM server_metrics) || SELECT sum(errors) FROM server_metrics WHERE host='web-2' AND ts>=(SELECT max(ts)-interval '7 days' FROM server_metrics) || SELECT sum(errors) FROM server_metrics WHERE host='web-2' AND ts>(SELECT max(ts)-interval '7 days' FROM server_metrics)
when did the cpu of web-2 first go above 99 ## SELECT min(ts) FROM server_metrics WHERE host='web-2' AND cpu_pct>99
""",
)
_add(
    "air",
    "follow-up",
    """
average value by pollutant > only in Hamburg ## SELECT pollutant,avg(value_ug_m3) FROM air_measurements WHERE city='Hamburg' GROUP BY 1
how many measurements are there per station > and per pollutant? ## SELECT pollutant,count(*) FROM air_measurements GROUP BY 1 || SELECT station,pollutant,count(*) FROM air_measurements GROUP BY 1,2
""",
)
_add(
    "rents",
    "follow-up",
    """
average rent by district > what about the median? ## SELECT district,percentile_cont(0.5) WITHIN GROUP (ORDER BY rent_eur) FROM apartments GROUP BY 1
how many apartments are there in Spandau? > and in Wedding? ## SELECT count(*) FROM apartments WHERE district='Wedding'
apartments in Mitte with 3 rooms > only the furnished ones ## SELECT listing_id FROM apartments WHERE district='Mitte' AND rooms=3 AND furnished
""",
)
_add(
    "chess",
    "follow-up",
    """
number of games per opening > now only wins by black ## SELECT opening,count(*) FROM chess_games WHERE winner='black' GROUP BY 1
average number of moves by opening > sort that descending > just the top 3 please ## SELECT opening,avg(moves) FROM chess_games GROUP BY 1 ORDER BY 2 DESC LIMIT 3
""",
)
_add(
    "trials",
    "follow-up",
    """
how many trials per status > break that down by phase ## SELECT status,phase,count(*) FROM clinical_trials GROUP BY 1,2
trials sponsored by Novigen > which of those are in Japan? ## SELECT trial_id FROM clinical_trials WHERE sponsor='Novigen' AND country='Japan'
""",
)
_add(
    "quakes",
    "follow-up",
    """
how many earthquakes were there in 2021? > and the year before? ## SELECT count(*) FROM earthquakes WHERE occurred_at>='2020-01-01' AND occurred_at<'2021-01-01'
5 strongest earthquakes > without Japan ## SELECT quake_id,magnitude FROM earthquakes WHERE country<>'Japan' ORDER BY magnitude DESC LIMIT 5
""",
)
_add(
    "coffee",
    "follow-up",
    """
average score of coffees from Kenya > same for Brazil ## SELECT avg(total_score) FROM coffee_tastings WHERE origin_country='Brazil'
average price per kg by variety > which one is the cheapest? ## SELECT variety FROM coffee_tastings GROUP BY 1 ORDER BY avg(price_per_kg) LIMIT 1
""",
)
_add(
    "claims",
    "follow-up",
    """
total paid amount in 2023 > by region ## SELECT region,sum(paid_amount) FROM insurance_claims WHERE incident_date>='2023-01-01' AND incident_date<'2024-01-01' GROUP BY 1 || SELECT region,sum(paid_amount) FROM insurance_claims WHERE reported_date>='2023-01-01' AND reported_date<'2024-01-01' GROUP BY 1
open claims over 10000 > how many are there? ## SELECT count(*) FROM insurance_claims WHERE claim_status='open' AND claimed_amount>10000
""",
)
_add(
    "rivers",
    "follow-up",
    """
average level per gauge > and the maximum? ## SELECT gauge,max(level_cm) FROM river_levels GROUP BY 1
monthly mean flow at Upton > same for Wehr ## SELECT date_trunc('month',ts),avg(flow_m3s) FROM river_levels WHERE gauge='Wehr' GROUP BY 1
""",
)
_add(
    "rates",
    "follow-up",
    """
highest EURUSD in 2023 > when was that? ## SELECT ts FROM exchange_rates WHERE pair='EURUSD' AND ts>='2023-01-01' AND ts<'2024-01-01' ORDER BY rate DESC LIMIT 1
""",
)
_add(
    "servers",
    "follow-up",
    """
average cpu by day for web-1 > by week instead ## SELECT date_trunc('week',ts),avg(cpu_pct) FROM server_metrics WHERE host='web-1' GROUP BY 1
total errors per host > only the last 24 hours ## SELECT host,sum(errors) FROM server_metrics WHERE ts>(SELECT max(ts)-interval '24 hours' FROM server_metrics) GROUP BY 1 || SELECT host,sum(errors) FROM server_metrics WHERE ts>=(SELECT max(ts)-interval '24 hours' FROM server_metrics) GROUP BY 1
""",
)
for _database, _line in (
    ("air", "Will the air in Lille be better next year?"),
    ("air", "Which station smells the worst?"),
    ("air", "Why is NO2 so high at Tunnel Gate?"),
    ("rents", "Is Pankow a nice district to live in?"),
    ("rents", "average landlord income by district"),
    ("rents", "apartments near a subway station"),
    ("chess", "Who is the best player of all time?"),
    ("chess", "How many games did Kasparov win?"),
    ("trials", "Which trials had serious side effects?"),
    ("trials", "Should I enroll in trial CT-1004?"),
    ("quakes", "How many people died in the earthquakes of 2020?"),
    ("quakes", "When will the next big earthquake hit Chile?"),
    ("coffee", "Which roaster bought the most Gesha?"),
    ("coffee", "delete all samples with more than 8 defects"),
    ("birds", "average wingspan by species"),
    ("birds", "What is the favourite food of the osprey?"),
    ("bikes", "predict bike counts for June 2026"),
    ("bikes", "How many e-scooters passed Canal Bridge?"),
    ("trains", "How much does a ticket from Basel to Bern cost?"),
    ("trains", "average speed of intercity trains"),
    ("claims", "Which claims will turn out to be fraudulent?"),
    ("claims", "set the status of claim 5004 to paid"),
    ("shipping", "How many sailors work on each vessel?"),
    ("festival", "Which band has the best singer?"),
    ("rates", "Should I buy euros now?"),
):
    _add(_database, "refuse", f"{_line} ## REFUSE")
_add(
    "rents",
    "German",
    """
Wie viele Wohnungen gibt es in Pankow? ## SELECT count(*) FROM apartments WHERE district='Pankow'
Durchschnittliche Miete pro Bezirk ## SELECT district,avg(rent_eur) FROM apartments GROUP BY 1
Welche Wohnungen mit Balkon kosten weniger als 600 Euro? ## SELECT listing_id FROM apartments WHERE balcony AND rent_eur<600
Was ist die teuerste Wohnung in Mitte? ## SELECT listing_id FROM apartments WHERE district='Mitte' ORDER BY rent_eur DESC LIMIT 1
""",
)
_add(
    "quakes",
    "German",
    """
Wie viele Erdbeben gab es 2021 in Japan? ## SELECT count(*) FROM earthquakes WHERE country='Japan' AND occurred_at>='2021-01-01' AND occurred_at<'2022-01-01'
die 5 stärksten Erdbeben ## SELECT quake_id FROM earthquakes ORDER BY magnitude DESC LIMIT 5
Anzahl der Erdbeben pro Region ## SELECT region,count(*) FROM earthquakes GROUP BY 1
""",
)
_add(
    "trains",
    "German",
    """
mittlere Verspätung je Betreiber ## SELECT operator,avg(delay_min) FROM train_runs GROUP BY 1
Wie viele Züge wurden gestrichen? ## SELECT count(*) FROM train_runs WHERE cancelled
Welcher Betreiber hat die meisten Fahrgäste? ## SELECT operator FROM train_runs GROUP BY 1 ORDER BY sum(passengers) DESC LIMIT 1
""",
)
_add(
    "coffee",
    "French",
    """
Combien d'échantillons viennent du Kenya ? ## SELECT count(*) FROM coffee_tastings WHERE origin_country='Kenya'
prix moyen par variété ## SELECT variety,avg(price_per_kg) FROM coffee_tastings GROUP BY 1
Quel café a le meilleur score total ? ## SELECT sample_id FROM coffee_tastings ORDER BY total_score DESC LIMIT 1
nombre d'échantillons bio par pays d'origine ## SELECT origin_country,count(*) FROM coffee_tastings WHERE organic GROUP BY 1
""",
)
_add(
    "claims",
    "French",
    """
Montant payé total par région ## SELECT region,sum(paid_amount) FROM insurance_claims GROUP BY 1
Combien de sinistres sont encore ouverts ? ## SELECT count(*) FROM insurance_claims WHERE claim_status='open'
montant réclamé moyen en Bavière ## SELECT avg(claimed_amount) FROM insurance_claims WHERE region='Bavaria'
""",
)
_add(
    "festival",
    "French",
    """
Combien de groupes de jazz y a-t-il ? ## SELECT count(*) FROM bands WHERE genre='jazz'
billets vendus par genre ## SELECT genre,sum(tickets_sold) FROM gigs JOIN bands USING(band_id) GROUP BY 1
Quels groupes n'ont jamais joué ? ## SELECT band_name FROM bands WHERE band_id NOT IN (SELECT band_id FROM gigs)
""",
)
_add(
    "birds",
    "Spanish",
    """
¿Cuántos avistamientos hay por especie? ## SELECT species,count(*) FROM bird_sightings GROUP BY 1
total de individuos por sitio ## SELECT site,sum(individuals) FROM bird_sightings GROUP BY 1
¿Qué observador tiene más avistamientos? ## SELECT observer FROM bird_sightings GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
avistamientos de Maya en 2023 ## SELECT sighting_id FROM bird_sightings WHERE observer='Maya' AND seen_on>='2023-01-01' AND seen_on<'2024-01-01'
""",
)
_add(
    "bikes",
    "Spanish",
    """
promedio de bicicletas por contador ## SELECT counter,avg(bikes) FROM bike_counts GROUP BY 1
¿Cuántas bicicletas pasaron por University en 2024? ## SELECT sum(bikes) FROM bike_counts WHERE counter='University' AND counted_on>='2024-01-01' AND counted_on<'2025-01-01'
los 5 días con más peatones ## SELECT counted_on FROM bike_counts ORDER BY pedestrians DESC LIMIT 5
""",
)
_add(
    "shipping",
    "Spanish",
    """
¿Cuántos buques se construyeron después de 2010? ## SELECT count(*) FROM vessels WHERE built_year>2010
capacidad media por tipo de buque ## SELECT vessel_type,avg(capacity_tons) FROM vessels GROUP BY 1
¿Qué puertos no tienen viajes? ## SELECT port_name FROM ports WHERE port_id NOT IN (SELECT port_id FROM voyages)
""",
)
